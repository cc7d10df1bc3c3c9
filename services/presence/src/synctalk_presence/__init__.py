"""The service presence: who is online, and who was when."""
