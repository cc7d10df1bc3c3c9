"""Push to who is not here: devices, notification settings, the decision whom to push, and the sending."""
