"""What `make demo` plays: a story, the people in it, and the screen that shows what they really received."""
