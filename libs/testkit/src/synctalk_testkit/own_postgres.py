"""A PostgreSQL server of a test's own, to be killed and started again with what it has, and a replica that follows it.

with own_postgres() as server, server.replica() as replica:
    server.kill(); server.start()   # as after a crash
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from synctalk_backing.postgres import HBA, postgres_spec, postgres_url
from synctalk_backing.process import ProcessSpec
from synctalk_backing.programs import backing_programs

from synctalk_testkit.eventually import eventually_blocking
from synctalk_testkit.local import running
from synctalk_testkit.ports import free_port

PASSWORD = "violet-anvil"
STARTED_S = 60.0
REPLICATION = "host replication all 127.0.0.1/32 scram-sha-256\n"


class OwnPostgres:
    """The server's process; it is durable, as in production."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spec = _spec(folder)
        self._process = ExitStack()
        self.url = postgres_url(self._spec.port, "postgres", "postgres", PASSWORD)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process.enter_context(running(self._spec, self._folder))
        eventually_blocking(self._spec.is_ready, STARTED_S, message="PostgreSQL did not start")

    def kill(self) -> None:
        self._process.close()

    @contextmanager
    def replica(self) -> Iterator[str]:
        """A server that follows this one by streaming; its address."""
        with _folder() as folder:
            spec = _spec(folder)
            copy = replace(spec, prepare=lambda: _copy(self._spec, spec))
            with running(copy, folder):
                eventually_blocking(spec.is_ready, STARTED_S, message="the replica did not start")
                yield postgres_url(spec.port, "postgres", "postgres", PASSWORD)


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A server that answers; its data goes with it."""
    with _folder() as folder:
        server = OwnPostgres(folder)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="synctalk-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the account that runs PostgreSQL passes through
        yield folder


def _spec(folder: Path) -> ProcessSpec:
    spec = postgres_spec(folder / "postgres", free_port(), PASSWORD, backing_programs().postgres)
    hba = next(path for path, text in spec.files.items() if text == HBA)
    return replace(spec, files={**spec.files, hba: HBA + REPLICATION})


def _copy(source: ProcessSpec, target: ProcessSpec) -> None:
    """Copy the source's data, to be followed from there."""
    program, data = backing_programs().postgres / "pg_basebackup", target.directory / "data"
    address = f"host=127.0.0.1 port={source.port} user=postgres password={PASSWORD}"
    subprocess.run(
        [str(program), "-d", address, "-D", str(data), "-R", "-X", "stream", "-c", "fast"],
        user=target.account.uid if target.account else None,
        group=target.account.gid if target.account else None,
        extra_groups=[] if target.account else None,
        cwd=target.directory,
        check=True,
    )
