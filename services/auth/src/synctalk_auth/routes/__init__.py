"""The doors over HTTP: parse, call one action, answer."""
