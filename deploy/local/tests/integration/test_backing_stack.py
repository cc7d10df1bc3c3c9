"""PostgreSQL, Redis, RabbitMQ and nginx under a real supervisor: the killed come back, the stopped are gone."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
import pytest
from synctalk_backing.postgres import create_databases, postgres_url
from synctalk_backing.probe import port_is_taken
from synctalk_backing.process import ProcessSpec
from synctalk_backing.programs import Programs, backing_programs, nginx_program
from synctalk_local.commands.down import clean
from synctalk_local.commands.ps import word
from synctalk_local.commands.web import web_root
from synctalk_local.credentials import Credentials
from synctalk_local.ports import ports_for
from synctalk_local.stack import CHECKOUT, Stack, backing_specs, edge_spec, stack_credentials
from synctalk_local.startup.fingerprints import Memory
from synctalk_local.startup.readiness import StartError
from synctalk_local.startup.starter import Starter
from synctalk_local.startup.takeover import take_over
from synctalk_local.supervision.client import Supervisor
from synctalk_local.supervision.orphans import orphans_in
from synctalk_systemtest.ports import free_edge_port
from synctalk_testkit.eventually import eventually_blocking

BACK_WITHIN_S = 3.0
NAMES = ["edge", "postgres", "redis", "rabbitmq"]


@dataclass
class Backing:
    stack: Stack
    programs: Programs
    credentials: Credentials
    specs: list[ProcessSpec]
    supervisor: Supervisor

    def pid(self, name: str) -> int:
        return self.supervisor.states()[name].pid

    def spec(self, name: str) -> ProcessSpec:
        return next(spec for spec in self.specs if spec.name == name)

    def start(self) -> list[str]:
        said: list[str] = []
        take_over(self.specs, self.supervisor, said.append)
        Starter(self.stack, self.supervisor, Memory(self.stack.data), said.append).start(self.specs)
        return said

    def create_databases(self) -> None:
        script, port = self.stack.checkout / "deploy/postgres/init.sql", self.stack.ports.postgres
        admin, roles = self.credentials.postgres_admin, self.credentials.databases
        create_databases(script, port, admin, roles, self.programs.postgres, self.stack.data / "databases")


@pytest.fixture(scope="module")
def backing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backing]:
    stack = Stack(CHECKOUT, tmp_path_factory.mktemp("stack") / "data", ports_for(free_edge_port()))
    programs, credentials = backing_programs(), stack_credentials(stack)
    specs = [*backing_specs(stack, programs, credentials), edge_spec(stack, nginx_program(), web_root(CHECKOUT))]
    made = Backing(stack, programs, credentials, specs, Supervisor(stack.data, stack.logs))
    try:
        made.start()
        yield made
    finally:
        clean(stack, lambda _: None)
    for port in stack.ports.all():
        assert not port_is_taken(port)
    assert not stack.data.exists()


def serves_anew(backing: Backing, name: str, old: int) -> bool:
    return backing.pid(name) not in (0, old) and backing.spec(name).is_ready()


def is_refused(port: int, backing: Backing) -> None:
    with pytest.raises(StartError, match=f"Port {port}, which .* needs, is taken"):
        take_over(backing.specs, backing.supervisor, lambda _: None)


async def test_role__at_another_service_s_database__cannot_connect(backing: Backing) -> None:
    backing.create_databases()
    port, password = backing.stack.ports.postgres, backing.credentials.databases["notifier"]

    for database in ("synctalk_auth", "synctalk_api", "synctalk_presence", "postgres", "template1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(postgres_url(port, database, "synctalk_notifier", password))


async def test_role__in_its_own_database__works_within_time_limits(backing: Backing) -> None:
    backing.create_databases()
    backing.create_databases()
    port, password = backing.stack.ports.postgres, backing.credentials.databases["api"]

    connection = await asyncpg.connect(postgres_url(port, "synctalk_api", "synctalk_api", password))
    limits = [await connection.fetchval(f"show {name}") for name in ("statement_timeout", "lock_timeout", "fsync")]
    await connection.execute("create table kept (id int)")
    await connection.close()

    assert limits == ["15s", "5s", "on"]


def test_start__with_a_port_taken__says_so_in_a_sentence(backing: Backing) -> None:
    backing.supervisor.stop_program("redis")
    try:
        with socket.create_server(("127.0.0.1", backing.stack.ports.redis)):
            is_refused(backing.stack.ports.redis, backing)
    finally:
        backing.start()


@pytest.mark.parametrize("name", NAMES)
def test_killed__serves_again_within_three_seconds(backing: Backing, name: str) -> None:
    old, began = backing.pid(name), time.monotonic()

    os.kill(old, signal.SIGKILL)
    eventually_blocking(lambda: backing.pid(name) not in (0, old), message=f"{name} was not started again")
    back_after = time.monotonic() - began
    eventually_blocking(lambda: serves_anew(backing, name, old), 90, message=f"{name} does not serve")

    assert back_after < BACK_WITHIN_S


@pytest.mark.parametrize(
    ("name", "program"), [("edge", "nginx"), ("postgres", "postgres"), ("redis", "redis"), ("rabbitmq", "beam.smp")]
)
def test_pid__is_that_of_the_process_that_does_the_work(backing: Backing, name: str, program: str) -> None:
    process = psutil.Process(backing.pid(name))

    assert program in process.name()
    assert process.parent() == psutil.Process(backing.supervisor.pid() or 0)
    assert word(backing.supervisor.states()[name], backing.stack.port_of(name)) == "running"


def test_started_again__nothing_changed__leaves_all_alone(backing: Backing) -> None:
    before = {name: backing.pid(name) for name in NAMES}

    assert backing.start() == []
    assert {name: backing.pid(name) for name in NAMES} == before


def test_supervisor_killed__start__ends_the_unwatched_and_recovers_the_data(backing: Backing) -> None:
    backing.create_databases()
    unwatched = psutil.Process(backing.pid("redis"))
    killed = psutil.Process(backing.supervisor.pid() or 0)
    killed.kill()
    psutil.wait_procs([killed])

    backing.start()

    assert not unwatched.is_running()
    assert {process.ppid() for process in orphans_in(backing.spec("redis").directory)} == {backing.supervisor.pid()}


def test_secrets__in_the_data_folder__are_their_owner_s_alone(backing: Backing) -> None:
    folders = [backing.spec(name).directory for name in NAMES]
    files = [path for folder in folders for path in folder.glob("*.conf")]

    assert files
    assert all(path.stat().st_mode & 0o077 == 0 for path in (*files, *folders))
    assert Path(backing.stack.data / "credentials.json").stat().st_mode & 0o077 == 0
