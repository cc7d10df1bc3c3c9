"""The whole of SyncTalk as local processes: PostgreSQL, Redis, RabbitMQ, nginx and the services.

Each part is a pure description (files, preparation, command, readiness). supervisord starts and watches them;
the tests start the same parts by themselves.
"""
