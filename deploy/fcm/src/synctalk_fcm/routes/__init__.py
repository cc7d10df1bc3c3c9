"""The doors: FCM's own endpoints, and the developer's look into them."""
