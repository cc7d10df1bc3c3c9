"""The load harness: sockets of the real protocol, what they must receive, and what the servers spend on it."""
