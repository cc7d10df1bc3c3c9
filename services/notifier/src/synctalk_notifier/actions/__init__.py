"""What the notifier does, one module per thing."""
