"""The doors on RabbitMQ: durable queues, at least once, in batches."""
