"""Redis for one stack: private, behind a password, bounded, and without persistence.

Nothing in Redis is a truth here: presence leases, rate limits and deny-lists are asserted anew by who owns them.
A snapshot read back after a crash would only bring back leases of sockets that are gone.
"""

from collections.abc import Sequence
from pathlib import Path

from synctalk_backing import probe
from synctalk_backing.process import ProcessSpec

CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir {directory}
daemonize no
save ""
appendonly no
databases {databases}
maxmemory {max_memory_mb}mb
maxmemory-policy noeviction
tcp-keepalive 15
timeout 0
client-output-buffer-limit pubsub 32mb 8mb 60
logfile ""
loglevel notice
"""


def redis_spec(
    directory: Path,
    port: int,
    password: str,
    binary: Path,
    *,
    max_memory_mb: int = 256,
    databases: int = 16,
    users: Sequence[str] = (),
) -> ProcessSpec:
    """`users`: the accounts besides the administrator's, each as a line of the configuration."""
    config = directory / "redis.conf"
    text = CONFIG.format(
        port=port, password=password, directory=directory, databases=databases, max_memory_mb=max_memory_mb
    )
    return ProcessSpec(
        name="redis",
        port=port,
        command=(str(binary), str(config)),
        is_ready=lambda: probe.redis_serves(port),
        directory=directory,
        folders=(directory,),
        files={config: text + "".join(f"{user}\n" for user in users)},
        stop_wait_s=5,
    )


def redis_url(port: int, password: str, database: int = 0, user: str = "") -> str:
    return f"redis://{user}:{password}@127.0.0.1:{port}/{database}"
