"""One consumer of a process: a connection of its own, on which its queue is received.

Of its own, because a queue that cannot be consumed may end its whole connection: RabbitMQ closes it when the leader of
a quorum queue is away. So a consumer that cannot open fails alone, and tries again, at the next node, after a pause.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Gauge

from synctalk_runtime import amqp, queues, tls
from synctalk_runtime.background import Backoff, Loop
from synctalk_runtime.consuming import MAX_PAUSE_S
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.nodes import FIRST_PAUSE_S, Nodes, reconnecting
from synctalk_runtime.receiving import Receiver

log = structlog.get_logger()

OPEN_TIMEOUT_S = 20.0
STOP_S = 15.0
WATCH_S = 10.0

RECEIVING = Gauge("bus_receiving", "1 while the process receives from the queue.", ["queue"])

AfterOpen = Callable[[], Awaitable[None]]


class Consumer:
    """`stop()` lets the running batch finish."""

    def __init__(self, receiver: Receiver, nodes: Nodes, after_open: AfterOpen | None = None) -> None:
        self.queue = receiver.queue
        self.receiving = False
        self._receiver = receiver
        self._connector = nodes.connector()
        self._after_open = after_open
        self._listeners: list[Callable[[], None]] = []
        self._loop = Loop(f"consume {self.queue}", self._session, FIRST_PAUSE_S, backoff=reconnecting(), stop_s=STOP_S)
        self.start = self._loop.start
        self.stop = self._loop.stop
        RECEIVING.labels(self.queue).set(0)

    def add_listener(self, on_receiving: Callable[[], None]) -> None:
        """Call this whenever it has begun to receive."""
        self._listeners.append(on_receiving)

    async def _session(self) -> None:
        """Connect, and receive until the first thing that breaks, or the stop."""
        try:
            async with self._connector.connection() as (connection, broken):
                try:
                    await self._receive(connection, broken)
                finally:
                    # Closing may take a while, and nobody shall wait for it.
                    self._set_receiving(False)
                    await self._receiver.close()
        except amqp.LOST as error:
            refusal = tls.refusal(error)
            log.warning("bus.consumer_lost", queue=self.queue, error=type(error).__name__, certificate=refusal)
            raise UnavailableError from error

    async def _receive(self, connection: amqp.Connection, broken: asyncio.Event) -> None:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            channel = await amqp.open_channel(connection, confirms=True, on_broken=broken.set)
            await queues.declare_exchanges(channel)
            await self._receiver.open(connection, channel)
        self._set_receiving(True)
        for on_receiving in self._listeners:
            on_receiving()
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch(connection, broken))
            work = group.create_task(self._receiver.work(broken))
            catch_up = group.create_task(self._catch_up())
            stop = group.create_task(self._loop.stopping.wait())
            lost = group.create_task(broken.wait())
            await asyncio.wait((stop, lost), return_when=asyncio.FIRST_COMPLETED)
            if stop.done():
                await self._receiver.finish()
            else:
                log.warning("bus.consumer_lost", queue=self.queue)
            for task in (watch, work, catch_up, stop, lost):
                task.cancel()

    def _set_receiving(self, receiving: bool) -> None:
        self.receiving = receiving
        RECEIVING.labels(self.queue).set(receiving)

    async def _watch(self, connection: amqp.Connection, broken: asyncio.Event) -> None:
        """Open everything anew once the broker no longer knows the consumer."""
        while True:
            await asyncio.sleep(WATCH_S)
            if not await self._receiver.has_consumer(connection):
                broken.set()
                return

    async def _catch_up(self) -> None:
        backoff = Backoff(0.2, MAX_PAUSE_S)
        while self._after_open is not None:
            try:
                await self._after_open()
                return
            except UnavailableError:
                await asyncio.sleep(backoff.next())


class CommandConsumer(Consumer):
    """Takes the commands that are for this process, under another owner's name each time that it has connected.

    A queue lives on the node that this process is connected to, and goes with the connection: no name is used again.
    """

    def __init__(self, queue: queues.CommandQueue, receiver: Receiver, nodes: Nodes) -> None:
        super().__init__(receiver, nodes)
        self._commands = queue

    @property
    def owner(self) -> str | None:
        """The name under which it receives, while it does."""
        return self._commands.owner if self.receiving else None
