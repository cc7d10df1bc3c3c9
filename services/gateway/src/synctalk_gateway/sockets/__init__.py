"""Socket events: each payload is parsed by its contract, one action is called, and the ack returned."""
