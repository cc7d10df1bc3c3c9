"""A backing set of local processes: the parts of `make up`, on free ports, in a folder that goes with the run."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from synctalk_local import requirements
from synctalk_local.part import Part, write_files
from synctalk_local.postgres import postgres_part, postgres_url
from synctalk_local.rabbitmq import RabbitPorts, rabbitmq_part, rabbitmq_url
from synctalk_local.redis import redis_part, redis_url

from synctalk_testkit.backing import Backing
from synctalk_testkit.ports import free_ports

READY_TIMEOUT_S = 60


@contextmanager
def started(folder: Path, workers: int) -> Iterator[Backing]:
    """The set, running; ended on the way out."""
    programs = requirements.backing_programs()
    password = secrets.token_urlsafe(12)
    postgres_port, amqp, epmd, distribution, management = free_ports(5)
    redis_ports = free_ports(workers)
    rabbit = RabbitPorts(amqp, epmd, distribution, management)
    parts = [
        rabbitmq_part(folder / "rabbitmq", rabbit, password, programs.rabbitmq),
        postgres_part(folder / "postgres", postgres_port, password, programs.postgres, durable=False),
        *(redis_part(folder / f"redis-{port}", port, password, programs.redis) for port in redis_ports),
    ]
    with ExitStack() as stack:
        processes = [(part, stack.enter_context(running(part, folder))) for part in parts]
        for part, process in processes:
            _wait_ready(part, process, folder)
        yield Backing(
            postgres_url=postgres_url(postgres_port, "postgres", "postgres", password),
            redis_urls=tuple(redis_url(port, password) for port in redis_ports),
            rabbitmq_url=rabbitmq_url(amqp, password).rstrip("/"),
            rabbitmq_management_url=f"http://127.0.0.1:{management}",
        )


@contextmanager
def running(part: Part, log_folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One part as a child in a process group of its own; killed with all of the group on the way out."""
    write_files(part)
    part.prepare()
    with (log_folder / f"{part.name}.log").open("ab") as log:
        process = subprocess.Popen(
            part.command,
            cwd=part.directory,
            env=os.environ | dict(part.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=part.account.uid if part.account else None,
            group=part.account.gid if part.account else None,
            extra_groups=[] if part.account else None,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # Nothing of the data is wanted any more, so no part gets time to write it down.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        part.cleanup()


def _wait_ready(part: Part, process: subprocess.Popen[bytes], log_folder: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not part.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{part.name} did not start:\n{(log_folder / f'{part.name}.log').read_text()[-4000:]}")
        time.sleep(0.05)
