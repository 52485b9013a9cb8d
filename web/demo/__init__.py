"""The demonstration firm's own website, with the chat on it as on any other page."""
