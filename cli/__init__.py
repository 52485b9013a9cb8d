"""``rapport …``: the command line, one file a topic."""
