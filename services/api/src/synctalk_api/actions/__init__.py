"""What the service does, one function per thing: open the transaction, ask the rules, use the store, tell others."""
