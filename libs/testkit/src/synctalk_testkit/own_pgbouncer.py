"""A pgbouncer of a test's own in transaction mode, with fewer connections to its server than clients have to it."""

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from synctalk_backing.postgres import run_account
from synctalk_backing.programs import pgbouncer_program

from synctalk_testkit.eventually import eventually_blocking
from synctalk_testkit.ports import free_port

CONFIG = """\
[databases]
* = host={host} port={server_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
"""
STARTED_S = 30.0


@contextmanager
def own_pgbouncer(database_url: str, size: int = 2) -> Iterator[str]:
    """The address of the database behind a pooler that opens so many connections to it."""
    server = urlsplit(database_url)
    port, account = free_port(), run_account()
    with tempfile.TemporaryDirectory(prefix="synctalk-pgbouncer-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        config, users = folder / "pgbouncer.ini", folder / "users.txt"
        users.write_text(f'"{server.username}" "{server.password}"\n')
        config.write_text(
            CONFIG.format(host=server.hostname, server_port=server.port, port=port, users=users, size=size)
        )
        process = subprocess.Popen(
            [str(pgbouncer_program()), str(config)],
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually_blocking(lambda: _listens(port), STARTED_S, message="pgbouncer did not start")
            netloc = f"{server.username}:{server.password}@127.0.0.1:{port}"
            yield urlunsplit((server.scheme, netloc, server.path, "", ""))
        finally:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
