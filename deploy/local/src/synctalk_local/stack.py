"""A stack: its folder, its ports, and the processes that it is made of, in the sequence in which they start."""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from urllib.parse import unquote, urlsplit

from synctalk_backing.postgres import postgres_spec
from synctalk_backing.process import ProcessSpec
from synctalk_backing.programs import Programs
from synctalk_backing.rabbitmq import RabbitPorts, rabbitmq_spec
from synctalk_backing.redis import redis_spec

from synctalk_local.credentials import Credentials, credentials_in
from synctalk_local.environment import given_settings
from synctalk_local.ports import MAX_PROCESSES, Ports, ports_for
from synctalk_local.processes import edge, services
from synctalk_local.topology import BACKING, COUNTS, SERVICES

CHECKOUT = Path(__file__).resolve().parents[4]
DEFAULT_EDGE_PORT = 8080
REMEMBERED = "processes.json"
"""In the data folder: how many processes there are of those that there may be several of."""


@dataclass(frozen=True)
class Stack:
    checkout: Path
    data: Path
    ports: Ports
    settings: Mapping[str, str] = field(default_factory=dict)
    """`SYNCTALK_…` settings that reach every service; `SYNCTALK_EDGE_…` are the edge's."""

    @property
    def address(self) -> str:
        return f"http://localhost:{self.ports.edge}"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def counts(self) -> dict[str, int]:
        """How many processes there are of those that there may be several of."""
        return {"api": len(self.ports.apis), "gateway": len(self.ports.gateways)}

    @property
    def names(self) -> tuple[str, ...]:
        counts = self.counts
        services = (
            service.numbered(counts[name]) if name in counts else service.processes
            for name, service in SERVICES.items()
        )
        return ("edge", *chain.from_iterable(services), *BACKING)

    def port_of(self, name: str) -> int:
        service, _, number = name.partition("-")
        several = {"api": self.ports.apis, "gateway": self.ports.gateways}
        if service in several:
            return several[service][int(number) - 1]
        port: int = getattr(self.ports, service)
        return port


class WrongSettingError(Exception):
    """A setting that no stack can be made of; the text says which and why."""


def stack_from_environment(counts: Mapping[str, str] | None = None) -> Stack:
    """The stack that SYNCTALK_PORT and SYNCTALK_DATA_DIR describe; port 8080 and `.local/` by default.

    `counts`: how many processes of api and of the gateway, where that is to change.
    """
    given = given_settings(CHECKOUT)
    text = given.pop("SYNCTALK_PORT", "") or str(DEFAULT_EDGE_PORT)
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise WrongSettingError(f"SYNCTALK_PORT must be a port number, not {text!r}.")
    data = Path(given.pop("SYNCTALK_DATA_DIR", "") or CHECKOUT / ".local")
    return Stack(CHECKOUT, data.absolute(), ports_for(int(text), _counts(data, counts or {})), given)


def _counts(data: Path, asked: Mapping[str, str]) -> Mapping[str, int]:
    """Return how many processes there are: those asked for, else as many as last time."""
    file = data / REMEMBERED
    counts = COUNTS | (json.loads(file.read_text()) if file.exists() else {})
    for name, text in asked.items():
        if name not in COUNTS or not text.isdigit() or not 1 <= int(text) <= MAX_PROCESSES:
            raise WrongSettingError(f"{name.upper()} must be a number from 1 to {MAX_PROCESSES}, not {text!r}.")
        counts[name] = int(text)
    return counts


def remember_counts(stack: Stack) -> None:
    """Have the commands that follow know how many processes there are."""
    (stack.data / REMEMBERED).write_text(json.dumps(stack.counts))


def backing_specs(stack: Stack, programs: Programs, credentials: Credentials) -> list[ProcessSpec]:
    """PostgreSQL, Redis, RabbitMQ."""
    ports = stack.ports
    rabbit = RabbitPorts(ports.rabbitmq, ports.epmd, ports.distribution)
    return [
        rabbitmq_spec(
            stack.data / "rabbitmq", rabbit, credentials.rabbitmq, programs.rabbitmq, credentials.rabbitmq_definitions
        ),
        postgres_spec(stack.data / "postgres", ports.postgres, credentials.postgres_admin, programs.postgres),
        redis_spec(stack.data / "redis", ports.redis, credentials.redis, programs.redis, users=credentials.redis_users),
    ]


def service_specs(stack: Stack, credentials: Credentials) -> list[ProcessSpec]:
    """The services and the push stand-in."""
    settings = {name: value for name, value in stack.settings.items() if not name.startswith("SYNCTALK_EDGE_")}
    return services.service_specs(stack.data, stack.ports, credentials, settings)


def edge_spec(stack: Stack, nginx: Path, web_root: Path) -> ProcessSpec:
    template = (stack.checkout / "deploy/edge/nginx.conf.template").read_text()
    given = edge.given_in(stack.settings)
    files_url = urlsplit(stack.settings.get("SYNCTALK_FILES_URL", ""))
    if files_url.scheme == "file":
        given = {"EDGE_UPLOADS": f"{unquote(files_url.path)}/uploads", **given}
    return edge.edge_spec(stack.data / "edge", stack.ports, template, nginx, web_root, given)


def stack_credentials(stack: Stack) -> Credentials:
    stack.data.mkdir(parents=True, exist_ok=True)
    return credentials_in(stack.data)


@contextmanager
def locked(stack: Stack) -> Iterator[None]:
    """Lock the stack: one command at a time changes it, another waits."""
    stack.data.mkdir(parents=True, exist_ok=True)
    with (stack.data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
