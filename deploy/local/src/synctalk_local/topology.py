"""The processes and how they are reached, as `deploy/topology.toml` says."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[3] / "topology.toml"


@dataclass(frozen=True)
class Service:
    name: str
    count: int | None = None
    """How many processes, which are numbered; None is one without a number."""
    database: bool = False
    ready: str = "/readyz"

    @property
    def processes(self) -> tuple[str, ...]:
        """The names of its processes: `gateway-1`, `gateway-2`."""
        return (self.name,) if self.count is None else self.numbered(self.count)

    def numbered(self, count: int) -> tuple[str, ...]:
        """Return the names of so many processes."""
        return tuple(f"{self.name}-{n}" for n in range(1, count + 1))


_TOML: dict[str, Any] = tomllib.loads(FILE.read_text())

SERVICES = {name: Service(name, **fields) for name, fields in _TOML["services"].items()}
COUNTS = {name: SERVICES[name].count or 1 for name in ("api", "gateway")}
"""How many processes there are of those that `make up API=2 GATEWAY=3` may run more of."""
WITH_DATABASE = tuple(service.name for service in SERVICES.values() if service.database)
BACKING: tuple[str, ...] = tuple(_TOML["backing"])


def limits_by_address(name: str) -> dict[str, str]:
    """Return the limits by network address of a service or of the edge, as they are in development."""
    return {limit: str(value) for limit, value in _TOML["limits_by_address"].get(name, {}).items()}
