"""A backing set of containers, where a Docker engine answers: one set a run, with labels of its own.

No reaper container: parallel runs would clash on its name, and the keeper ends the set itself. What a killed keeper
left behind is removed by the next one, known by its label and its owner's process being gone.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import docker
import psutil
from synctalk_backing import probe
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from synctalk_testkit.backing import OWNER, Backing
from synctalk_testkit.eventually import eventually_blocking

LABEL = "synctalk.test.owner"
USER, PASSWORD = "synctalk", "synctalk-tests"
READY_TIMEOUT_S = 90


def engine_answers() -> bool:
    """Return whether a Docker engine answers; local instances serve otherwise."""
    try:
        client = docker.from_env(timeout=5)
    except docker.errors.DockerException:
        return False
    try:
        return bool(client.ping())
    except (docker.errors.DockerException, OSError):
        return False
    finally:
        client.close()


@contextmanager
def started(folder: Path, workers: int) -> Iterator[Backing]:
    """The set, running; removed on the way out. `folder` holds a configuration; containers keep their own data."""
    testcontainers_config.ryuk_disabled = True
    _remove_leftovers()
    with ExitStack() as stack:
        postgres = _ours(DockerContainer("postgres:17"), 5432).with_env("POSTGRES_PASSWORD", PASSWORD)
        postgres = postgres.with_command("postgres -c fsync=off -c synchronous_commit=off -c max_connections=200")
        rabbitmq = _ours(DockerContainer("rabbitmq:4"), 5672, 15672)
        rabbitmq = rabbitmq.with_env("RABBITMQ_DEFAULT_USER", USER).with_env("RABBITMQ_DEFAULT_PASS", PASSWORD)
        rabbitmq = rabbitmq.with_volume_mapping(str(_plugins(folder)), "/etc/rabbitmq/enabled_plugins", "ro")
        redises = [_ours(DockerContainer("redis:8"), 6379) for _ in range(workers)]
        for container in (rabbitmq, postgres, *redises):
            stack.enter_context(container)
        postgres_port, amqp, management = _port(postgres, 5432), _port(rabbitmq, 5672), _port(rabbitmq, 15672)
        redis_ports = [_port(container, 6379) for container in redises]
        _await(lambda: probe.postgres_serves(postgres_port), "PostgreSQL")
        _await(lambda: probe.rabbitmq_serves(amqp), "RabbitMQ")
        _await(lambda: probe.http_answers(f"http://127.0.0.1:{management}/api/auth", range(200, 500)), "RabbitMQ")
        for port in redis_ports:
            _await(partial(probe.redis_serves, port), "Redis")
        yield Backing(
            postgres_url=f"postgresql://postgres:{PASSWORD}@127.0.0.1:{postgres_port}/postgres",
            redis_urls=tuple(f"redis://127.0.0.1:{port}/0" for port in redis_ports),
            rabbitmq_url=f"amqp://{USER}:{PASSWORD}@127.0.0.1:{amqp}",
            rabbitmq_management_url=f"http://127.0.0.1:{management}",
        )


def _plugins(folder: Path) -> Path:
    """The plain image has the management API too, asleep; tests make virtual hosts by it."""
    path = folder / "enabled_plugins"
    path.write_text("[rabbitmq_management].\n")
    path.chmod(0o644)
    return path


def _ours(container: DockerContainer, *ports: int) -> DockerContainer:
    """With these ports published, and labelled with whom it belongs to."""
    return container.with_exposed_ports(*ports).with_kwargs(labels={LABEL: os.environ[OWNER]})


def _port(container: DockerContainer, port: int) -> int:
    return int(container.get_exposed_port(port))


def _await(ready: Callable[[], bool], name: str) -> None:
    eventually_blocking(ready, READY_TIMEOUT_S, message=f"{name} did not start in its container")


def _remove_leftovers() -> None:
    client = docker.from_env()
    for container in client.containers.list(all=True, filters={"label": LABEL}):
        if not psutil.pid_exists(int(container.labels[LABEL])):
            container.remove(force=True, v=True)
    client.close()
