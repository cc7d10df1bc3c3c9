"""`up`: bring the whole system up, say what happens, and end when all of it is ready.

Run again it starts what is missing, restarts what changed, and leaves the rest alone. Sequence: PostgreSQL, Redis and
RabbitMQ beside each other; databases; migrations beside each other; the services; the edge. The web client is built
meanwhile.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from synctalk_backing.postgres import create_databases
from synctalk_backing.process import ProcessSpec, write_files
from synctalk_backing.programs import Programs, backing_programs, nginx_program

from synctalk_local.commands import web
from synctalk_local.credentials import Credentials
from synctalk_local.node import NodeError
from synctalk_local.processes import services
from synctalk_local.stack import (
    Stack,
    backing_specs,
    edge_spec,
    locked,
    remember_counts,
    service_specs,
    stack_credentials,
)
from synctalk_local.startup.fingerprints import Memory, migrations_fingerprint
from synctalk_local.startup.readiness import StartError
from synctalk_local.startup.starter import Starter
from synctalk_local.startup.takeover import take_over
from synctalk_local.supervision.client import Supervisor

Say = Callable[[str], None]


def up(stack: Stack, say: Say) -> None:
    """Start the stack. Without the web client nothing is built, and what was built before is served.

    Raises StartError, MissingProgramsError.
    """
    began = time.monotonic()
    with locked(stack):
        _Up(stack, say).run()
    say(f"\nSyncTalk runs at {stack.address}  (ready after {time.monotonic() - began:.1f} s)")


def migrate(stack: Stack, say: Say) -> None:
    """Run every service's migrations, whether they changed or not; the databases must be up."""
    run = _Up(stack, say)
    run.migrate(service_specs(stack, stack_credentials(stack)), only_changed=False)


class _Up:
    def __init__(self, stack: Stack, say: Say) -> None:
        self._stack = stack
        self._say = say
        self._supervisor = Supervisor(stack.data, stack.logs)
        self._memory = Memory(stack.data)
        self._starter = Starter(stack, self._supervisor, self._memory, say)

    def run(self) -> None:
        stack = self._stack
        remember_counts(stack)
        programs = backing_programs(self._say)
        nginx = nginx_program(self._say)
        credentials = stack_credentials(stack)
        backing, own = backing_specs(stack, programs, credentials), service_specs(stack, credentials)
        edge = edge_spec(stack, nginx, web.web_root(stack.checkout))
        take_over([*backing, *own, edge], self._supervisor, self._say)
        with self._web_build():
            self._starter.start(backing)
            self._create_databases(programs, credentials)
            self.migrate(own)
            self._starter.start(own)
        # Written again: the build may have made the client's folder just now.
        self._starter.start([edge_spec(stack, nginx, web.web_root(stack.checkout))])

    def migrate(self, specs: Sequence[ProcessSpec], *, only_changed: bool = True) -> None:
        """The migrations of all services, beside each other."""
        running = []
        for spec in filter(services.migrates, specs):
            wanted = migrations_fingerprint(spec, self._stack.checkout)
            if only_changed and self._memory.has(f"{spec.name} migrations", wanted):
                continue
            write_files(spec)
            spec.prepare()
            running.append((spec, wanted, services.migrate(spec)))
        for spec, wanted, process in running:
            output, _ = process.communicate()
            if process.returncode != 0:
                raise StartError(f"The migrations of {spec.name} failed:\n{output.strip()}")
            self._memory.keep(f"{spec.name} migrations", wanted)
            self._say(f"{spec.name}: tables up to date")

    @contextmanager
    def _web_build(self) -> Iterator[None]:
        """Build beside everything else; a failure is reported and everything else goes on."""
        failures: list[str] = []

        def build() -> None:
            try:
                web.build(self._stack.checkout, self._stack.logs / "web-build.log", self._say)
            except NodeError as failure:
                failures.append(str(failure))

        thread = threading.Thread(target=build)
        thread.start()
        try:
            yield
        finally:
            thread.join()
        for failure in failures:
            self._say(f"warning: {failure}")

    def _create_databases(self, programs: Programs, credentials: Credentials) -> None:
        script = self._stack.checkout / "deploy/postgres/init.sql"
        scratch = self._stack.data / "databases"
        port, password = self._stack.ports.postgres, credentials.postgres_admin
        create_databases(script, port, password, credentials.databases, programs.postgres, scratch)
