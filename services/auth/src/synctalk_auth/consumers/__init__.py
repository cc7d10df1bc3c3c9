"""The doors from RabbitMQ."""
