"""The marketer's console, and the operator's page of counters."""
