"""What other programs call: ``/api/v1``, with a key and never with a cookie."""
