"""The way up: take over what runs, start what is missing or has changed, and wait until it is ready."""
