"""Consumers of RabbitMQ's queues."""
