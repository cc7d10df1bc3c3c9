"""Connections to RabbitMQ: to one of its nodes at a time, and to the next one when that is away."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from ssl import SSLContext

from pydantic import SecretStr
from yarl import URL

from synctalk_runtime import amqp, tls
from synctalk_runtime.background import Backoff
from synctalk_runtime.settings import addresses

HEARTBEAT_S = 5
FIRST_PAUSE_S = 0.1
MAX_BACKOFF_S = 2.0

Address = tuple[URL, SSLContext | None]


class Nodes:
    """The addresses of the nodes, in the order in which this process tries them."""

    def __init__(self, url: SecretStr, name: str, ca_file: Path | None = None) -> None:
        self._addresses: list[Address] = [
            (URL(address).update_query(heartbeat=str(HEARTBEAT_S), name=name), tls.rabbitmq_context(address, ca_file))
            for address in addresses(url)
        ]
        random.shuffle(self._addresses)  # the processes spread over the nodes

    def connector(self) -> "Connector":
        return Connector(self._addresses)


class Connector:
    """Opens one connection after the other, each to the node after the last."""

    def __init__(self, addresses: list[Address]) -> None:
        self._addresses = cycle(addresses)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[amqp.Connection, asyncio.Event]]:
        """Open a connection and close it on the way out; the event is set once it is broken."""
        connection = amqp.Connection(*next(self._addresses))
        broken = asyncio.Event()
        connection.close_callbacks.add(lambda *_: broken.set())
        try:
            await amqp.connect(connection)
            yield connection, broken
        finally:
            await amqp.close(connection)


def reconnecting() -> Backoff:
    """Return the pauses between two connections."""
    return Backoff(FIRST_PAUSE_S, MAX_BACKOFF_S)
