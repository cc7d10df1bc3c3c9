"""One stack: where it lives, on which ports, and the parts that it is made of, in the order in which they start."""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from synctalk_local import edge, services
from synctalk_local.credentials import Credentials, credentials_in
from synctalk_local.environment import given_settings
from synctalk_local.part import Part
from synctalk_local.ports import Ports, ports_for
from synctalk_local.postgres import postgres_part
from synctalk_local.rabbitmq import RabbitPorts, rabbitmq_part
from synctalk_local.redis import redis_part
from synctalk_local.requirements import Programs

CHECKOUT = Path(__file__).resolve().parents[4]
DEFAULT_EDGE_PORT = 8080


@dataclass(frozen=True)
class Stack:
    checkout: Path
    data: Path
    ports: Ports
    settings: Mapping[str, str] = field(default_factory=dict)
    """`SYNCTALK_…` settings that reach every service."""

    @property
    def address(self) -> str:
        return f"http://localhost:{self.ports.edge}"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def names(self) -> tuple[str, ...]:
        gateways = tuple(f"gateway-{number}" for number, _ in enumerate(self.ports.gateways, start=1))
        return (
            "edge",
            "auth-1",
            "api-1",
            *gateways,
            "presence-1",
            "notifier-1",
            "fcm",
            "postgres",
            "redis",
            "rabbitmq",
        )

    def port_of(self, name: str) -> int:
        if name.startswith("gateway-"):
            return self.ports.gateways[int(name.removeprefix("gateway-")) - 1]
        port: int = getattr(self.ports, name.removesuffix("-1"))
        return port


class WrongSettingError(Exception):
    """A setting that no stack can be made of; the text says which and why."""


def stack_from_environment() -> Stack:
    """The stack that SYNCTALK_PORT and SYNCTALK_DATA_DIR describe; port 8080 and `.local/` by default."""
    given = given_settings(CHECKOUT)
    text = given.pop("SYNCTALK_PORT", "") or str(DEFAULT_EDGE_PORT)
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise WrongSettingError(f"SYNCTALK_PORT must be a port number, not {text!r}.")
    data = Path(given.pop("SYNCTALK_DATA_DIR", "") or CHECKOUT / ".local")
    return Stack(CHECKOUT, data.absolute(), ports_for(int(text)), given)


def backing_parts(stack: Stack, programs: Programs, credentials: Credentials) -> list[Part]:
    """PostgreSQL, Redis, RabbitMQ."""
    ports = stack.ports
    rabbit = RabbitPorts(ports.rabbitmq, ports.epmd, ports.distribution)
    return [
        rabbitmq_part(stack.data / "rabbitmq", rabbit, credentials.rabbitmq, programs.rabbitmq),
        postgres_part(stack.data / "postgres", ports.postgres, credentials.postgres_admin, programs.postgres),
        redis_part(stack.data / "redis", ports.redis, credentials.redis, programs.redis),
    ]


def service_parts(stack: Stack, credentials: Credentials) -> list[Part]:
    """The services and the push stand-in."""
    return services.service_parts(stack.data, stack.ports, credentials, stack.settings)


def edge_part(stack: Stack, nginx: Path, web_root: Path) -> Part:
    template = (stack.checkout / "deploy/edge/nginx.conf.template").read_text()
    return edge.edge_part(stack.data / "edge", stack.ports, template, nginx, web_root)


def stack_credentials(stack: Stack) -> Credentials:
    stack.data.mkdir(parents=True, exist_ok=True)
    return credentials_in(stack.data)


@contextmanager
def locked(stack: Stack) -> Iterator[None]:
    """One command at a time changes a stack; another waits."""
    stack.data.mkdir(parents=True, exist_ok=True)
    with (stack.data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
