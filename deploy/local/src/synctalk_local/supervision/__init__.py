"""The supervisor: a daemon that keeps processes running, its client, and the end of orphaned processes."""
