"""HTTP endpoints: parse, call one action, respond."""
