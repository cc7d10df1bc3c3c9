"""The ports of one stack, all derived from the edge's: two stacks with different edge ports run beside each other.

The inner ports lie from 20000 to 23999, below the ephemeral range of Linux and away from what servers use by habit.
"""

from dataclasses import dataclass

from synctalk_local.topology import SERVICES

FIRST, BLOCK, BLOCKS = 20_000, 20, 200
MAX_GATEWAYS = 4


@dataclass(frozen=True)
class Ports:
    edge: int
    auth: int
    api: int
    presence: int
    notifier: int
    fcm: int
    postgres: int
    redis: int
    rabbitmq: int
    epmd: int
    distribution: int
    gateways: tuple[int, ...]

    def all(self) -> tuple[int, ...]:
        inner = (self.auth, self.api, self.presence, self.notifier, self.fcm)
        backing = (self.postgres, self.redis, self.rabbitmq, self.epmd, self.distribution)
        return (self.edge, *inner, *backing, *self.gateways)


def ports_for(edge: int, gateways: int = SERVICES["gateway"].count or 1) -> Ports:
    """The ports of the stack whose edge listens on `edge`."""
    if not 1 <= gateways <= MAX_GATEWAYS:
        raise ValueError(f"there can be 1 to {MAX_GATEWAYS} gateways")
    first = FIRST + (edge % BLOCKS) * BLOCK
    return Ports(
        edge=edge,
        auth=first,
        api=first + 1,
        presence=first + 2,
        notifier=first + 3,
        fcm=first + 4,
        postgres=first + 5,
        redis=first + 6,
        rabbitmq=first + 7,
        epmd=first + 8,
        distribution=first + 9,
        gateways=tuple(range(first + 10, first + 10 + gateways)),
    )
