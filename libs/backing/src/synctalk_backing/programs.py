"""The programs that the stack needs: found, or installed where this machine lets us, or asked for in one sentence."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from synctalk_backing import binaries

POLICY = Path("/usr/sbin/policy-rc.d")


class MissingProgramsError(Exception):
    """Something is missing that only the user at the machine can install; the text says what."""


@dataclass(frozen=True)
class Programs:
    postgres: Path
    """The folder with postgres, initdb and psql."""
    redis: Path
    rabbitmq: Path
    """The broker's own start script."""


@dataclass(frozen=True)
class _Requirement:
    title: str
    package: str
    find: Callable[[], Path | None]


POSTGRES = _Requirement("PostgreSQL", "postgresql", binaries.postgres_folder)
REDIS = _Requirement("Redis", "redis-server", binaries.redis_server)
RABBITMQ = _Requirement("RabbitMQ", "rabbitmq-server", binaries.rabbitmq_script)
NGINX = _Requirement("nginx", "nginx-light", binaries.nginx)
PGBOUNCER = _Requirement("pgbouncer", "pgbouncer", binaries.pgbouncer)


def backing_programs(say: Callable[[str], None] = print) -> Programs:
    ensure((POSTGRES, REDIS, RABBITMQ), say)
    return Programs(_path(POSTGRES), _path(REDIS), _path(RABBITMQ))


def nginx_program(say: Callable[[str], None] = print) -> Path:
    ensure((NGINX,), say)
    return _path(NGINX)


def pgbouncer_program(say: Callable[[str], None] = print) -> Path:
    """Of tests; the stack itself has no pooler."""
    ensure((PGBOUNCER,), say)
    return _path(PGBOUNCER)


def ensure(wanted: tuple[_Requirement, ...], say: Callable[[str], None]) -> None:
    """Install what is missing, or raise with one sentence that says what to install."""
    missing = [requirement for requirement in wanted if requirement.find() is None]
    if not missing:
        return
    packages = " ".join(requirement.package for requirement in missing)
    titles = ", ".join(requirement.title for requirement in missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingProgramsError(f"{titles} is not installed: install it (on Debian: sudo apt install {packages}).")
    say(f"Installing {titles} by apt …")
    _install(packages.split())
    absent = [requirement.title for requirement in wanted if requirement.find() is None]
    if absent:
        raise MissingProgramsError(f"{', '.join(absent)} could not be found after installing {packages}.")


def _path(requirement: _Requirement) -> Path:
    found = requirement.find()
    if found is None:
        raise MissingProgramsError(f"{requirement.title} is not installed.")
    return found


def _install(packages: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    with _without_starting_services():
        if subprocess.run(install, env=environment, capture_output=True, check=False).returncode == 0:
            return
        subprocess.run(["apt-get", "update", "-qq"], env=environment, capture_output=True, check=False)
        done = subprocess.run(install, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise MissingProgramsError(f"apt could not install {' '.join(packages)}: {reason}")


@contextmanager
def _without_starting_services() -> Iterator[None]:
    """Debian starts what it installs; the stack brings instances of its own, so the machine's stay down."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
