"""Calls out: events and replies on Redis, and auth for users who are not known here yet."""
