"""What customers see: a launcher for any page of the firm, and the chat in a frame behind it."""
