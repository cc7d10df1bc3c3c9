"""Accounts, passwords, sessions and the keys that access tokens are signed with."""
