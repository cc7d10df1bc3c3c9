"""The ports of one stack, all derived from the edge's: two stacks with different edge ports run beside each other.

The inner ports lie from 20000 to 23999, below the ephemeral range of Linux and away from what servers use by habit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from synctalk_local.topology import COUNTS

FIRST, BLOCK, BLOCKS = 20_000, 20, 200
MAX_PROCESSES = 4
"""Of a service that there may be several of."""


@dataclass(frozen=True)
class Ports:
    edge: int
    auth: int
    presence: int
    notifier: int
    fcm: int
    postgres: int
    redis: int
    rabbitmq: int
    epmd: int
    distribution: int
    balanced_api: int
    """At the edge: calls of the other services, spread over all api processes."""
    apis: tuple[int, ...]
    gateways: tuple[int, ...]

    @property
    def api(self) -> int:
        """Where the other services reach api."""
        return self.apis[0] if len(self.apis) == 1 else self.balanced_api

    def all(self) -> tuple[int, ...]:
        inner = (self.auth, self.presence, self.notifier, self.fcm, self.balanced_api)
        backing = (self.postgres, self.redis, self.rabbitmq, self.epmd, self.distribution)
        return (self.edge, *inner, *backing, *self.apis, *self.gateways)


def ports_for(edge: int, counts: Mapping[str, int] = COUNTS) -> Ports:
    """The ports of the stack whose edge listens on `edge`, with so many processes of api and of the gateway."""
    apis, gateways = counts["api"], counts["gateway"]
    first = FIRST + (edge % BLOCKS) * BLOCK
    return Ports(
        edge=edge,
        auth=first,
        presence=first + 2,
        notifier=first + 3,
        fcm=first + 4,
        postgres=first + 5,
        redis=first + 6,
        rabbitmq=first + 7,
        epmd=first + 8,
        distribution=first + 9,
        balanced_api=first + 10,
        apis=(first + 1, *range(first + 11, first + 10 + apis)),
        gateways=tuple(range(first + 14, first + 14 + gateways)),
    )
