"""A backing set of local processes: the processes of `make up`, on free ports, in a folder that goes with the run."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from synctalk_backing.postgres import postgres_spec, postgres_url
from synctalk_backing.process import ProcessSpec, write_files
from synctalk_backing.programs import backing_programs
from synctalk_backing.rabbitmq import RabbitPorts, rabbitmq_spec, rabbitmq_url
from synctalk_backing.redis import redis_spec, redis_url

from synctalk_testkit.backing import Backing
from synctalk_testkit.ports import free_ports

READY_TIMEOUT_S = 60


@contextmanager
def started(folder: Path, workers: int) -> Iterator[Backing]:
    """The set, running; ended on the way out."""
    programs = backing_programs()
    password = secrets.token_urlsafe(12)
    postgres_port, amqp, epmd, distribution, management = free_ports(5)
    redis_ports = free_ports(workers)
    rabbit = RabbitPorts(amqp, epmd, distribution, management)
    specs = [
        rabbitmq_spec(folder / "rabbitmq", rabbit, password, programs.rabbitmq),
        postgres_spec(folder / "postgres", postgres_port, password, programs.postgres, durable=False),
        *(redis_spec(folder / f"redis-{port}", port, password, programs.redis) for port in redis_ports),
    ]
    with ExitStack() as stack:
        processes = [(spec, stack.enter_context(running(spec, folder))) for spec in specs]
        for spec, process in processes:
            _wait_ready(spec, process, folder)
        yield Backing(
            postgres_url=postgres_url(postgres_port, "postgres", "postgres", password),
            redis_urls=tuple(redis_url(port, password) for port in redis_ports),
            rabbitmq_url=rabbitmq_url(amqp, password).rstrip("/"),
            rabbitmq_management_url=f"http://127.0.0.1:{management}",
        )


@contextmanager
def running(spec: ProcessSpec, log_folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in a process group of its own, which is killed on the way out."""
    write_files(spec)
    spec.prepare()
    with (log_folder / f"{spec.name}.log").open("ab") as log:
        process = subprocess.Popen(
            spec.command,
            cwd=spec.directory,
            env=os.environ | dict(spec.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=spec.account.uid if spec.account else None,
            group=spec.account.gid if spec.account else None,
            extra_groups=[] if spec.account else None,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # Nothing of the data is wanted any more, so no process gets time to write it down.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        spec.cleanup()


def _wait_ready(spec: ProcessSpec, process: subprocess.Popen[bytes], log_folder: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not spec.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{spec.name} did not start:\n{(log_folder / f'{spec.name}.log').read_text()[-4000:]}")
        time.sleep(0.05)
