"""The doors in over RabbitMQ: commands of the gateways, and people that auth tells of."""
