"""Real PostgreSQL, Redis and RabbitMQ, tokens and clients for tests"""
