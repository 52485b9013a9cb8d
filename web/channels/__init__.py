"""Clients that we did not write: the channels through which they reach the same message path."""
