"""Work that runs beside the requests: loops, single tasks with an owner, and batches that form by themselves.

Nothing here fails silently: an error is logged and counted, and a loop goes on after a growing pause. Everything has an
owner that stops it, at once or after the running step has had a bounded time to end.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

import structlog
from prometheus_client import Counter

from synctalk_runtime.errors import UnavailableError

log = structlog.get_logger()

FAILED = Counter("background_failed_total", "Failures of background work: unavailable, or bug.", ["work", "why"])

T = TypeVar("T")
R = TypeVar("R")


async def wait(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait for the event, at most so long (None: for ever). Return whether it is set."""
    if seconds is None:
        return await event.wait()
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    return event.is_set()


def jittered(seconds: float) -> float:
    """Return about as many seconds, so that processes do not act in step."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311


class Backoff:
    """Pauses that double from `first_s` to `max_s`, with jitter."""

    def __init__(self, first_s: float = 0.1, max_s: float = 5.0) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._next_s = first_s

    def next(self) -> float:
        pause_s, self._next_s = self._next_s, min(self._next_s * 2, self._max_s)
        return pause_s * random.uniform(0.5, 1.5)  # noqa: S311

    def reset(self) -> None:
        self._next_s = self._first_s


class Loop:
    """Run `step` at `start`, then whenever it is due, until `stop`.

    It is due again at once when it returned True (there is more to do), else after `interval_s` (None: never by itself)
    or `wake`, whichever is first, but `min_pause_s` after the last one at the earliest: a burst is then one step. After
    an error it is due after a pause of `backoff`; UnavailableError is logged when it begins and when it is over, any
    other error with its traceback. `stop` lets the running step, and one more if it was woken, end within `stop_s`,
    then cancels; 0 cancels at once.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[bool | None]],
        interval_s: float | None = None,
        *,
        min_pause_s: float = 0,
        backoff: Backoff | None = None,
        stop_s: float = 0,
    ) -> None:
        self.stopping = asyncio.Event()
        """Set by `stop`: a long step may end early."""
        self._name = name
        self._step = step
        self._interval_s = interval_s
        self._min_pause_s = min_pause_s
        self._backoff = backoff or Backoff()
        self._stop_s = stop_s
        self._unavailable = False
        self._woken = False
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There is something to do."""
        self._woken = True
        self._due.set()

    async def start(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start it from where nothing can be awaited."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        self.stopping.set()
        self._due.set()
        if self._task is None:
            return
        if self._stop_s and (await asyncio.wait([self._task], timeout=self._stop_s))[1]:
            log.warning("background.not_finished", work=self._name)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._woken or not self.stopping.is_set():
            self._woken = False
            try:
                has_more = await self._step()
            except asyncio.CancelledError:
                if _is_cancelled():
                    raise
                await self._failed(RuntimeError("a step was cancelled by nobody"))
            except Exception as error:
                await self._failed(error)
            else:
                self._succeeded()
                await (asyncio.sleep(0) if has_more else self._until_due())

    async def _until_due(self) -> None:
        if self._min_pause_s:
            await wait(self.stopping, self._min_pause_s)
        if not self._woken and not self.stopping.is_set():
            self._due.clear()
            await wait(self._due, None if self._interval_s is None else jittered(self._interval_s))

    async def _failed(self, error: Exception) -> None:
        is_bug = not isinstance(error, UnavailableError)
        FAILED.labels(self._name, "bug" if is_bug else "unavailable").inc()
        if is_bug:
            log.error("background.failed", work=self._name, error=type(error).__name__, exc_info=error)
        elif not self._unavailable:
            log.warning("background.unavailable", work=self._name)
            self._unavailable = True
        await wait(self.stopping, self._backoff.next())

    def _succeeded(self) -> None:
        self._backoff.reset()
        if self._unavailable:
            log.info("background.resumed", work=self._name)
            self._unavailable = False


class Tasks:
    """The tasks of one owner, until they end or the owner stops."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            FAILED.labels(task.get_name(), "unavailable" if isinstance(error, UnavailableError) else "bug").inc()
            log.error("background.failed", work=task.get_name(), error=type(error).__name__, exc_info=error)

    async def stop(self, within_s: float = 0) -> None:
        """Cancel what has not ended within so many seconds."""
        tasks = list(self._tasks)
        if tasks and within_s:
            await asyncio.wait(tasks, timeout=within_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Batcher(Generic[T, R]):
    """Gather what is asked for while one `call` is under way: that is the next call's batch.

    With nothing under way an item leaves with whatever else this turn of the event loop brings. Every item is settled:
    with its result, or with the error of its call, which is not logged here.
    """

    def __init__(self, name: str, call: Callable[[list[T]], Awaitable[Sequence[R]]], max_batch: int) -> None:
        self._name = name
        self._call = call
        self._max_batch = max_batch
        self._queued: list[tuple[T, asyncio.Future[R]]] = []
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Return how many items wait for a call."""
        return len(self._queued)

    def submit(self, item: T) -> "asyncio.Future[R]":
        """Queue an item and return its result to come."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queued.append((item, result))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=self._name)
        return result

    async def stop(self) -> None:
        """Fail what is not settled yet with UnavailableError."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        _fail(self._queued, UnavailableError())  # of a task that was cancelled before it began

    async def _run(self) -> None:
        batch: list[tuple[T, asyncio.Future[R]]] = []
        try:
            while self._queued:
                batch, self._queued = self._queued[: self._max_batch], self._queued[self._max_batch :]
                await self._settle(batch)
        finally:
            left, self._queued, self._task = batch + self._queued, [], None
            _fail(left, UnavailableError())

    async def _settle(self, batch: list[tuple[T, "asyncio.Future[R]"]]) -> None:
        try:
            results = await self._call([item for item, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            _fail(batch, UnavailableError(), error)
        except Exception as error:  # one batch must not end the calls of all
            _fail(batch, error)


def _fail(batch: "list[tuple[T, asyncio.Future[R]]]", error: Exception, cause: BaseException | None = None) -> None:
    error.__cause__ = cause or error.__cause__
    for _, future in batch:
        if not future.done():
            future.set_exception(error)


def _is_cancelled() -> bool:
    """Return whether somebody asked for it: libraries end waiting tasks by a CancelledError of their own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
