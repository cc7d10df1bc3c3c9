"""`make demo` and `make bench`: users on the running system, as a story in the terminal and as a load."""
