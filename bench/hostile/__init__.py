"""Throws hostile inputs at a running product and reports what it said and what changed."""
