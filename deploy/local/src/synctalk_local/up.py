"""`up`: bring the whole system up, say what happens, and end when all of it is ready.

Run again it starts what is missing, restarts what changed, and leaves the rest alone. Order: PostgreSQL, Redis and
RabbitMQ beside each other; databases; migrations beside each other; the services; the edge. The web client is built
meanwhile.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from synctalk_local import requirements, services, web
from synctalk_local.credentials import Credentials
from synctalk_local.fingerprints import Memory, migrations_fingerprint
from synctalk_local.part import Part, write_files
from synctalk_local.postgres import create_databases
from synctalk_local.readiness import StartError
from synctalk_local.requirements import Programs
from synctalk_local.stack import Stack, backing_parts, edge_part, locked, service_parts, stack_credentials
from synctalk_local.starter import Starter
from synctalk_local.supervisor import Supervisor
from synctalk_local.takeover import take_over

Say = Callable[[str], None]


def up(stack: Stack, say: Say) -> None:
    """Raises StartError, MissingProgramsError. Without the web client nothing is built; what is there is served."""
    began = time.monotonic()
    with locked(stack):
        _Up(stack, say).run()
    say(f"\nSyncTalk runs at {stack.address}  (ready after {time.monotonic() - began:.1f} s)")


def migrate(stack: Stack, say: Say) -> None:
    """Run every service's migrations, whether they changed or not; the databases must be up."""
    run = _Up(stack, say)
    run.migrate(service_parts(stack, stack_credentials(stack)), only_changed=False)


class _Up:
    def __init__(self, stack: Stack, say: Say) -> None:
        self._stack = stack
        self._say = say
        self._supervisor = Supervisor(stack.data, stack.logs)
        self._memory = Memory(stack.data)
        self._starter = Starter(stack, self._supervisor, self._memory, say)

    def run(self) -> None:
        stack = self._stack
        programs = requirements.backing_programs(self._say)
        nginx = requirements.nginx_program(self._say)
        credentials = stack_credentials(stack)
        backing, own = backing_parts(stack, programs, credentials), service_parts(stack, credentials)
        edge = edge_part(stack, nginx, web.web_root(stack.checkout))
        take_over([*backing, *own, edge], self._supervisor, self._say)
        with self._web_build():
            self._starter.start(backing)
            self._create_databases(programs, credentials)
            self.migrate(own)
            self._starter.start(own)
        # Written again: the build may have made the client's folder just now.
        self._starter.start([edge_part(stack, nginx, web.web_root(stack.checkout))])

    def migrate(self, parts: Sequence[Part], *, only_changed: bool = True) -> None:
        """The migrations of all services, beside each other."""
        running = []
        for part in filter(services.owns_tables, parts):
            wanted = migrations_fingerprint(part, self._stack.checkout)
            if only_changed and self._memory.has(f"{part.name} migrations", wanted):
                continue
            write_files(part)
            part.prepare()
            running.append((part, wanted, services.migrate(part)))
        for part, wanted, process in running:
            output, _ = process.communicate()
            if process.returncode != 0:
                raise StartError(f"The migrations of {part.name} failed:\n{output.strip()}")
            self._memory.keep(f"{part.name} migrations", wanted)
            self._say(f"{part.name}: tables up to date")

    @contextmanager
    def _web_build(self) -> Iterator[None]:
        """The build beside everything else; a failure is told and leaves the rest standing."""
        failures: list[str] = []

        def build() -> None:
            try:
                web.build(self._stack.checkout, self._stack.logs / "web-build.log", self._say)
            except web.WebBuildError as failure:
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
