"""Find the programs of the stack on this machine; `requirements` installs them."""

import os
import shutil
from pathlib import Path

RABBITMQ_GIVEN = "SYNCTALK_TEST_RABBITMQ"
"""Names the start script of another RabbitMQ than the installed one; the Erlang that it needs is first on the path."""
SYSTEM_FOLDERS = "/usr/sbin:/sbin:/usr/local/sbin:/opt/homebrew/bin"


def program(*names: str) -> Path | None:
    """The first of the names that is found on the path or where systems keep their servers."""
    for name in names:
        found = shutil.which(name) or shutil.which(name, path=SYSTEM_FOLDERS)
        if found:
            return Path(found)
    return None


def postgres_folder() -> Path | None:
    """The folder of the newest installed server (Debian keeps it off the path), where initdb and psql are too."""
    candidates = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt/homebrew/opt").glob("postgresql@*/bin")]
    complete = [folder for folder in candidates if (folder / "initdb").exists() and (folder / "postgres").exists()]
    if complete:
        return max(complete, key=_version)
    found = shutil.which("postgres")
    folder = Path(found).resolve().parent if found else None
    return folder if folder and (folder / "initdb").exists() else None


def rabbitmq_script() -> Path | None:
    """The broker's own start script: Debian's wrapper on the path changes the user and hides the process."""
    if given := os.environ.get(RABBITMQ_GIVEN):
        return Path(given)
    places = (
        "/usr/lib/rabbitmq/lib",
        "/opt",
        "/usr/local/lib/rabbitmq/lib",
        "/opt/homebrew/Cellar/rabbitmq",
    )
    for place in places:
        scripts = [*Path(place).glob("rabbitmq*/sbin/rabbitmq-server"), *Path(place).glob("*/sbin/rabbitmq-server")]
        if scripts:
            return max(scripts)
    found = shutil.which("rabbitmq-server")
    return Path(found).resolve() if found else None


def redis_server() -> Path | None:
    return program("redis-server", "valkey-server")


def nginx() -> Path | None:
    return program("nginx")


def pgbouncer() -> Path | None:
    return program("pgbouncer")


def _version(folder: Path) -> tuple[int, ...]:
    name = folder.parent.name.removeprefix("postgresql@")
    return tuple(int(spec) for spec in name.split(".") if spec.isdigit())
