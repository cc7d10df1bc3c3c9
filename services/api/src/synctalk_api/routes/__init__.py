"""The doors in over HTTP: parse, call one action, answer."""
