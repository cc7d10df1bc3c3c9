"""The one writer of this process: whatever has queued up while the last commit ran is the next batch.

Both doors, REST and the command queues, put their orders here, so a commit's cost is shared and one transaction at a
time numbers messages. A single order on a quiet system is written at once; while they stream in, commits keep a least
distance (`write_interval_s`), so that each holds several. Orders of one batch are written in runs of one kind, in the
order in which they came; watermarks commute with all else and come last.

A failure belongs to an order, not to a batch. What the database refuses as a whole is tried once more when a race can
be the reason, then order by order when one of them can be; when the database does not answer, all hear `unavailable`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import asyncpg
import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Gauge, Histogram
from synctalk_contracts.commands import MarkDelivered, MarkRead, SendMessage
from synctalk_runtime.errors import AppError, InvalidError, UnavailableError
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.telemetry import span

from synctalk_api.actions.changes import change
from synctalk_api.actions.messages import send
from synctalk_api.actions.orders import Order, Written
from synctalk_api.actions.receipts import raise_watermarks
from synctalk_api.clients.fanout import Fanout, Tidings
from synctalk_api.settings import Settings

log = structlog.get_logger()

BATCH = Histogram("api_write_batch_orders", "Orders of one batch.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256))
WAITING = Gauge("api_write_waiting", "Orders that wait for the writer.")
RETRIED = Counter("api_write_retried_total", "Transactions that were tried again.", ["why"])

Act = Callable[[Postgres, Settings, Sequence[Order]], Awaitable[Written]]
"""One transaction for orders of one kind; an order that may not be is refused in its outcome, not raised."""

RACES = (
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InvalidCachedStatementError,
)
OVERLOADS = (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError, asyncpg.InsufficientResourcesError)
BAD_INPUT = (asyncpg.DataError, ValueError)

COMPANY = 32
"""Orders that are company enough: with so many waiting a commit does not wait for more."""


@dataclass(slots=True)
class _Submission:
    orders: Sequence[Order]
    settled: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Writer:
    def __init__(self, postgres: Postgres, settings: Settings, fanout: Fanout, wake_outbox: Callable[[], None]) -> None:
        self._postgres = postgres
        self._settings = settings
        self._fanout = fanout
        self._wake_outbox = wake_outbox
        self._max_batch = settings.write_batch_orders
        self._max_waiting = settings.write_queue_orders
        self._waiting: deque[_Submission] = deque()
        self._orders = 0
        self._woken = asyncio.Event()
        self._room = asyncio.Event()
        self._written_at = float("-inf")
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="writer")

    async def stop(self) -> None:
        """The doors are closed by now; what still waits is written."""
        self._stopping = True
        self._woken.set()
        if self._task is not None:
            await self._task

    async def write(self, order: Order) -> Order:
        """One order of REST: settled when this returns. Raises UnavailableError when too many wait."""
        if self._orders >= self._max_waiting:
            raise UnavailableError
        await self._submit([order])
        return order

    async def write_all(self, orders: Sequence[Order]) -> None:
        """The orders of a command queue: accepted, in this order, when this returns; answered after the commit.

        The queue waits while too many wait here: the broker's queue is the buffer.
        """
        while self._orders >= self._max_waiting:
            self._room.clear()
            await self._room.wait()
        self._submit(orders)

    def _submit(self, orders: Sequence[Order]) -> asyncio.Future[None]:
        submission = _Submission(orders)
        self._waiting.append(submission)
        self._orders += len(orders)
        self._woken.set()
        return submission.settled

    async def _run(self) -> None:
        while not self._stopping:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                await self._keep_distance()
                await self._write_batch(self._take())

    async def _keep_distance(self) -> None:
        """A commit costs the same for one order as for eight: right after another one it waits for company."""
        now = asyncio.get_running_loop().time()
        pause = self._written_at + self._settings.write_interval_s - now
        if pause > 0 and self._orders < COMPANY and not self._stopping:
            await asyncio.sleep(pause)
        self._written_at = asyncio.get_running_loop().time()

    def _take(self) -> list[_Submission]:
        taken = [self._waiting.popleft()]
        count = len(taken[0].orders)
        while self._waiting and count + len(self._waiting[0].orders) <= self._max_batch:
            taken.append(self._waiting.popleft())
            count += len(taken[-1].orders)
        self._orders -= count
        self._room.set()
        WAITING.set(self._orders)
        BATCH.observe(count)
        return taken

    async def _write_batch(self, submissions: list[_Submission]) -> None:
        orders = [order for submission in submissions for order in submission.orders]
        tidings = Tidings()
        try:
            with span("api.write", parent=_sampled(orders), kind=SpanKind.CONSUMER, orders=len(orders)):
                for act, run in _runs(orders):
                    tidings.add(await self._commit(act, run))
        except Exception as error:  # the writer's door: it must outlive whatever one batch brings
            log.exception("write.failed", error=type(error).__name__, orders=len(orders))
        finally:
            self._answer(submissions, tidings)

    def _answer(self, submissions: list[_Submission], tidings: Tidings) -> None:
        for submission in submissions:
            for order in submission.orders:
                if order.outcome is None:
                    order.outcome = UnavailableError()
                if order.reply_to is not None:
                    tidings.reply(order.reply_to, order.reply())
            if not submission.settled.done():
                submission.settled.set_result(None)
        self._fanout.tell(tidings)
        self._wake_outbox()

    async def _commit(self, act: Act, orders: Sequence[Order]) -> Tidings:
        """Every order has its outcome when this returns: what was committed, or why not."""
        try:
            written = await self._try_twice(act, orders)
        except (UnavailableError, *OVERLOADS):
            return _refuse(orders, UnavailableError())
        except Exception as error:  # one order may be the reason: then it alone fails
            if len(orders) > 1:
                RETRIED.labels("apart").inc()
                return await self._commit_apart(act, orders)
            log.exception("write.order_failed", error=type(error).__name__, type=orders[0].command.type)
            return _refuse(orders, InvalidError() if isinstance(error, BAD_INPUT) else UnavailableError())
        for order, outcome in zip(orders, written.outcomes, strict=True):
            order.outcome = outcome
        return written.tidings

    async def _commit_apart(self, act: Act, orders: Sequence[Order]) -> Tidings:
        tidings = Tidings()
        for order in orders:
            tidings.add(await self._commit(act, [order]))
        return tidings

    async def _try_twice(self, act: Act, orders: Sequence[Order]) -> Written:
        try:
            return await act(self._postgres, self._settings, orders)
        except RACES as error:
            RETRIED.labels(type(error).__name__).inc()
            return await act(self._postgres, self._settings, orders)


def _refuse(orders: Sequence[Order], error: AppError) -> Tidings:
    for order in orders:
        order.outcome = error
    return Tidings()


def _kind(order: Order) -> Act:
    return send if isinstance(order.command, SendMessage) else change


def _runs(orders: list[Order]) -> Iterator[tuple[Act, list[Order]]]:
    marks = [order for order in orders if isinstance(order.command, MarkDelivered | MarkRead)]
    rest = [order for order in orders if not isinstance(order.command, MarkDelivered | MarkRead)] if marks else orders
    for act, run in groupby(rest, key=_kind):
        yield act, list(run)
    if marks:
        yield raise_watermarks, marks


def _sampled(orders: list[Order]) -> str | None:
    """The first traced order's context: one span a batch, in the trace of one of its orders."""
    return next((o.traceparent for o in orders if o.traceparent and o.traceparent.endswith("-01")), None)
