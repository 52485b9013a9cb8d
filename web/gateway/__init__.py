"""The customer's connection: sessions, the message log, the stream, and the turns that the brain answers."""
