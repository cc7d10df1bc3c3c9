"""Loops go on whatever a step does, and end when they are stopped; what queues up is one batch."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import REGISTRY
from synctalk_runtime.background import Backoff, Batcher, Loop, Tasks, wait
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id


def _failed(name: str, why: str) -> float:
    return REGISTRY.get_sample_value("background_failed_total", {"work": name, "why": why}) or 0.0


class Steps:
    """A step that ends as a test wants it to: in an error, or with what it returns."""

    def __init__(self, *ends: BaseException | bool) -> None:
        self.name = new_id()
        self._ends = list(ends)
        self.done = 0
        self.all_done = asyncio.Event()

    async def __call__(self) -> bool:
        self.done += 1
        end = self._ends.pop(0) if self._ends else False
        if not self._ends:
            self.all_done.set()
        if isinstance(end, BaseException):
            raise end
        return end

    async def run(self, interval_s: float | None = None) -> None:
        loop = Loop(self.name, self, interval_s, backoff=Backoff(0.001, 0.001), stop_s=1)
        await loop.start()
        async with asyncio.timeout(1):
            await self.all_done.wait()
        await loop.stop()


async def test_wait__set_in_time__is_true() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)

    assert await wait(event, 1)
    assert not await wait(asyncio.Event(), 0.001)


def test_backoff__grows_to_its_bound_and_begins_anew() -> None:
    backoff = Backoff(1, 4)

    pauses = [backoff.next() for _ in range(5)]
    backoff.reset()

    for pause, middle in zip([*pauses, backoff.next()], (1, 2, 4, 4, 4, 1), strict=True):
        assert middle * 0.5 <= pause <= middle * 1.5


async def test_loop__there_is_more__goes_on_at_once() -> None:
    steps = Steps(True, True, False)

    await steps.run(interval_s=None)

    assert steps.done == 3


async def test_loop__interval__steps_again() -> None:
    await Steps(False, False, False).run(interval_s=0.001)


@pytest.mark.parametrize(
    ("error", "why"),
    [(UnavailableError(), "unavailable"), (KeyError("x"), "bug"), (asyncio.CancelledError(), "bug")],
)
async def test_loop__a_step_fails__is_counted_and_run_again(error: BaseException, why: str) -> None:
    steps = Steps(error, error, False)

    await steps.run()

    assert steps.done == 3
    assert _failed(steps.name, why) == 2


async def test_loop__woken__steps_and_a_burst_is_one_step() -> None:
    first, later = asyncio.Event(), asyncio.Event()
    done: list[None] = []

    async def step() -> None:
        (later if first.is_set() else first).set()
        done.append(None)

    loop = Loop("woken", step, min_pause_s=0.001)
    await loop.start()
    await first.wait()
    loop.wake()
    loop.wake()
    await later.wait()
    await asyncio.sleep(0.005)
    await loop.stop()

    assert len(done) == 2


async def test_stop__woken_before__does_what_was_left() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    done: list[None] = []

    async def step() -> None:
        begun.set()
        await may_end.wait()
        done.append(None)

    loop = Loop("finishing", step, stop_s=1)
    await loop.start()
    await begun.wait()
    loop.wake()
    asyncio.get_running_loop().call_soon(may_end.set)
    await loop.stop()

    assert len(done) == 2


@pytest.mark.parametrize("stop_s", [0, 0.01])
async def test_stop__a_step_does_not_end__is_cancelled(stop_s: float) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def step() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    loop = Loop("hanging", step, stop_s=stop_s)
    await loop.start()
    await begun.wait()
    async with asyncio.timeout(1):
        await loop.stop()

    assert cancelled.is_set()


async def test_stop__while_backing_off__does_not_wait() -> None:
    async def step() -> None:
        raise UnavailableError

    loop = Loop("away", step, backoff=Backoff(60, 60), stop_s=60)
    await loop.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await loop.stop()


async def test_tasks__one_fails__is_counted() -> None:
    async def fail() -> None:
        raise KeyError

    tasks, name = Tasks(), new_id()
    await asyncio.wait([tasks.spawn(name, fail())])
    await asyncio.sleep(0)

    assert _failed(name, "bug") == 1
    assert len(tasks) == 0


@pytest.mark.parametrize(("within_s", "ended"), [(0, False), (1, True)])
async def test_tasks__stop__waits_as_long_as_it_may(within_s: float, ended: bool) -> None:
    ends: list[bool] = []

    async def work() -> None:
        await asyncio.sleep(0.01)
        ends.append(True)

    tasks = Tasks()
    tasks.spawn("work", work())
    await asyncio.sleep(0)
    await tasks.stop(within_s)

    assert bool(ends) == ended


async def test_batcher__what_queued_up_during_a_call__is_the_next_batch() -> None:
    batches: list[list[int]] = []
    may_end = asyncio.Event()

    async def double(items: list[int]) -> Sequence[int]:
        batches.append(items)
        await may_end.wait()
        return [item * 2 for item in items]

    batcher = Batcher("double", double, max_batch=3)
    first = [batcher.submit(n) for n in (1, 2)]
    await asyncio.sleep(0)
    second = [batcher.submit(n) for n in (3, 4, 5, 6)]
    may_end.set()

    assert await asyncio.gather(*first, *second) == [2, 4, 6, 8, 10, 12]
    assert batches == [[1, 2], [3, 4, 5], [6]]


async def test_batcher__a_call_fails__its_items_fail_and_the_next_go_on() -> None:
    async def refuse_ones(items: list[int]) -> Sequence[int]:
        if 1 in items:
            raise KeyError
        return items

    batcher = Batcher("refuse", refuse_ones, max_batch=1)
    refused, taken = batcher.submit(1), batcher.submit(2)

    with pytest.raises(KeyError):
        await refused
    assert await taken == 2


async def test_batcher__stopped__fails_all_that_waits() -> None:
    async def hang(_: list[int]) -> Sequence[int]:
        await asyncio.Event().wait()
        return []

    batcher = Batcher("hang", hang, max_batch=1)
    results = [batcher.submit(n) for n in (1, 2)]
    await asyncio.sleep(0)
    await batcher.stop()

    assert [type(e) for e in await asyncio.gather(*results, return_exceptions=True)] == [UnavailableError] * 2
