"""Calls out: the fan-out and the replies on Redis, and auth for people who are not known here yet."""
