"""Speed, measured beside a named peer in the same run; each file writes one file under ``results/``."""
