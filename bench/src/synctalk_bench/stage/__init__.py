"""What `make demo` plays: a story, the users in it, and the screen that shows what they really received."""
