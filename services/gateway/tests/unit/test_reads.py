"""Reads of the state at api after delivery was broken, on a clock that the test moves."""

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from synctalk_gateway.clients import reads
from synctalk_gateway.clients.reads import StateReads
from synctalk_runtime.errors import NotFoundError, UnavailableError

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock

TIMEOUT_S = 10.0


class Upstream:
    """Answers, unless it is away."""

    def __init__(self) -> None:
        self.away = True
        self.asked = 0
        self.under_way = 0
        self.most_under_way = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def ask(self) -> int:
        self.asked += 1
        self.under_way += 1
        self.most_under_way = max(self.under_way, self.most_under_way)
        try:
            await self.answers.wait()
            if self.away:
                raise UnavailableError
            return self.asked
        finally:
            self.under_way -= 1


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda *_: 1.0)


async def advance_until(clock: "Clock", *tasks: "asyncio.Task[int]") -> None:
    while not all(task.done() for task in tasks):
        await clock.advance(reads.RETRY_S)


async def test_read__comes_back_in_time__returns_the_answer(clock: "Clock") -> None:
    upstream = Upstream()
    read = asyncio.create_task(StateReads(TIMEOUT_S).read(upstream.ask))
    await clock.settle()
    await clock.advance(reads.RETRY_S)
    upstream.away = False
    await clock.advance(2 * reads.RETRY_S)

    assert await read == 3


async def test_read__away_for_too_long__is_unavailable(clock: "Clock") -> None:
    upstream = Upstream()
    read = asyncio.create_task(StateReads(TIMEOUT_S).read(upstream.ask))
    await clock.settle()
    await advance_until(clock, read)

    assert isinstance(read.exception(), UnavailableError)
    assert upstream.asked == 8  # at 0, 0.25, 0.75, 1.75, then every 2 seconds below 10


async def test_read__a_retry_falls_on_the_deadline__is_not_made(clock: "Clock") -> None:
    upstream = Upstream()
    read = asyncio.create_task(StateReads(1.75).read(upstream.ask))
    await clock.settle()
    await advance_until(clock, read)

    assert upstream.asked == 3  # at 0, 0.25 and 0.75 seconds


async def test_read__waits_behind_those_that_nobody_answers__is_not_even_asked(clock: "Clock") -> None:
    gone, well, all_reads = Upstream(), Upstream(), StateReads(TIMEOUT_S)
    well.away = False
    waiting = [asyncio.create_task(all_reads.read(gone.ask)) for _ in range(reads.CONCURRENT)]
    late = asyncio.create_task(all_reads.read(well.ask))
    await clock.settle()
    await advance_until(clock, late)

    with pytest.raises(UnavailableError):
        await late
    assert well.asked == 0
    await advance_until(clock, *waiting)
    assert all(isinstance(task.exception(), UnavailableError) for task in waiting)


async def test_read__another_is_answered_meanwhile__has_its_whole_time_from_then_on(clock: "Clock") -> None:
    slow, all_reads = Upstream(), StateReads(TIMEOUT_S)
    slow.away = False
    slow.answers.clear()
    waiting = [asyncio.create_task(all_reads.read(slow.ask)) for _ in range(reads.CONCURRENT)]
    late = asyncio.create_task(all_reads.read(slow.ask))
    await clock.settle()
    await clock.advance(TIMEOUT_S + 1)
    slow.answers.set()
    await asyncio.gather(*waiting)

    assert await late == reads.CONCURRENT + 1


async def test_read__many__are_asked_a_few_at_a_time(clock: "Clock") -> None:
    upstream, all_reads = Upstream(), StateReads(TIMEOUT_S)
    upstream.away = False
    upstream.answers.clear()
    tasks = [asyncio.create_task(all_reads.read(upstream.ask)) for _ in range(40)]
    await clock.settle()
    upstream.answers.set()
    await asyncio.gather(*tasks)

    assert upstream.most_under_way == reads.CONCURRENT == 16


async def test_read__refused__raises_at_once(clock: "Clock") -> None:
    async def ask() -> int:
        raise NotFoundError

    with pytest.raises(NotFoundError):
        await StateReads(TIMEOUT_S).read(ask)
