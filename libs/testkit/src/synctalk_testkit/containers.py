"""A backing set of containers, where a Docker engine answers: one set a run, with labels of its own.

No reaper container: parallel runs would clash on its name, and the keeper ends the set itself. What a killed keeper
left behind is removed by the next one, known by its label and its owner's process being gone.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
from synctalk_local import probe

from synctalk_testkit.backing import OWNER, Backing
from synctalk_testkit.eventually import eventually_blocking

POSTGRES_IMAGE = "postgres:17"
REDIS_IMAGE = "redis:8"
RABBITMQ_IMAGE = "rabbitmq:4-management"
LABEL = "synctalk.test.owner"
USER, PASSWORD = "synctalk", "synctalk-tests"
READY_TIMEOUT_S = 90


def engine_answers() -> bool:
    """Whether there is an engine to ask at all; local instances serve otherwise."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        return _client_answers()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(host.removeprefix("unix://"))
        except OSError:
            return False
    return _client_answers()


@contextmanager
def started(folder: Path, workers: int) -> Iterator[Backing]:
    """The set, running; removed on the way out. `folder` holds nothing here: containers keep their own data."""
    _remove_leftovers()
    with ExitStack() as stack:
        postgres = _container(POSTGRES_IMAGE, 5432).with_env("POSTGRES_PASSWORD", PASSWORD)
        postgres = postgres.with_command("postgres -c fsync=off -c synchronous_commit=off -c max_connections=200")
        rabbitmq = _container(RABBITMQ_IMAGE, 5672, 15672)
        rabbitmq = rabbitmq.with_env("RABBITMQ_DEFAULT_USER", USER).with_env("RABBITMQ_DEFAULT_PASS", PASSWORD)
        redises = [_container(REDIS_IMAGE, 6379) for _ in range(workers)]
        for container in (rabbitmq, postgres, *redises):
            stack.enter_context(container)
        postgres_port, amqp, management = _port(postgres, 5432), _port(rabbitmq, 5672), _port(rabbitmq, 15672)
        redis_ports = [_port(container, 6379) for container in redises]
        _await(lambda: probe.postgres_serves(postgres_port), "PostgreSQL")
        _await(lambda: probe.rabbitmq_serves(amqp), "RabbitMQ")
        _await(lambda: probe.http_answers(f"http://127.0.0.1:{management}/api/auth", range(200, 500)), "RabbitMQ")
        for port in redis_ports:
            _await(lambda port=port: probe.redis_serves(port), "Redis")
        yield Backing(
            postgres_url=f"postgresql://postgres:{PASSWORD}@127.0.0.1:{postgres_port}/postgres",
            redis_urls=tuple(f"redis://127.0.0.1:{port}/0" for port in redis_ports),
            rabbitmq_url=f"amqp://{USER}:{PASSWORD}@127.0.0.1:{amqp}",
            rabbitmq_management_url=f"http://127.0.0.1:{management}",
        )


def _container(image: str, *ports: int) -> Any:
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    testcontainers_config.ryuk_disabled = True
    container = DockerContainer(image).with_exposed_ports(*ports)
    return container.with_kwargs(labels={LABEL: os.environ[OWNER]})


def _port(container: Any, port: int) -> int:
    return int(container.get_exposed_port(port))


def _await(ready: Any, name: str) -> None:
    eventually_blocking(ready, READY_TIMEOUT_S, message=f"{name} did not start in its container")


def _client_answers() -> bool:
    import docker

    try:
        client = docker.from_env(timeout=5)
        client.ping()
        client.close()
    except Exception:  # whatever is wrong with the engine, the tests run without it
        return False
    return True


def _remove_leftovers() -> None:
    import docker

    client = docker.from_env()
    for container in client.containers.list(all=True, filters={"label": LABEL}):
        if not psutil.pid_exists(int(container.labels[LABEL])):
            container.remove(force=True, v=True)
    client.close()
