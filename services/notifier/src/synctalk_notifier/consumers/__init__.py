"""Consumers of RabbitMQ: durable queues, at least once, in batches."""
