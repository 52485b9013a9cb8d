"""The Rasa components that understand a customer's message; they know nothing of the business."""
