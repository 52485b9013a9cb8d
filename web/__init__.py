"""What people reach by HTTP: the gateway for customers, the workspace and console for staff."""
