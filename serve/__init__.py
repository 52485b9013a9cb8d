"""The running product: puts the parts together, starts the processes and watches them."""
