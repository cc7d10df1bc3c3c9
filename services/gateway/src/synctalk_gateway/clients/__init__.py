"""Calls out: commands to api over RabbitMQ, look-ups at api and presence."""
