"""The whole of SyncTalk as local processes: PostgreSQL, Redis, RabbitMQ, nginx and the services.

Each process is a pure description (files, preparation, command, readiness). the supervisor keeps them running;
the tests start the same processes by themselves.
"""
