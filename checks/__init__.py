"""Checks of what is written by hand: the dialogue's data and wording."""
