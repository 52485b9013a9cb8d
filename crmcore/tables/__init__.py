"""Files that hold tables, read batch by batch, and ``crmcore.imports``'s rules applied to whole columns."""
