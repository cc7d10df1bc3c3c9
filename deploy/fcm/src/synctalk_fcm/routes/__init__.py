"""FCM's own endpoints, and those for developers."""
