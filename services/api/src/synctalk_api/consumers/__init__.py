"""RabbitMQ handlers: commands of the gateways, and users who registered at auth."""
