"""Events from RabbitMQ, on this gateway's own queues."""
