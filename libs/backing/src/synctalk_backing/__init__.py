"""PostgreSQL, Redis and RabbitMQ as local processes, for `make up` and for the tests.

`process` describes a process (files, preparation, command, readiness) and starts nothing; `postgres`, `redis` and
`rabbitmq` describe one server each, as a pure function of a folder and ports. `programs` finds or installs the servers,
`probe` asks a running one whether it serves.
"""
