"""The account manager's workspace: the queue, the live conversation, the customer's card."""
