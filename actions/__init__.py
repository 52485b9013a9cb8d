"""What Rasa asks the application to do: each action translates a turn into a use case and a response."""
