"""Leases: reported together, as they are when the report goes, and again when it did not get through."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from synctalk_contracts.internal import LeaseReport
from synctalk_gateway.clients import presence
from synctalk_gateway.clients.presence import REPORT_WAIT_S, Leases
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock, World

ADA, BOB = new_id(), new_id()
RENEWAL_S = 20.0


class RecordingPresence:
    """In place of presence: keeps the reports, and fails or waits when a test says so."""

    def __init__(self) -> None:
        self.reports: list[LeaseReport] = []
        self.error: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def report(self, report: LeaseReport) -> None:
        self.reports.append(report)
        await self.answers.wait()
        if self.error is not None:
            raise self.error

    def open(self) -> list[list[str]]:
        return [[lease.connection_id for lease in report.held] for report in self.reports]

    def closed(self) -> list[list[str]]:
        return [[lease.connection_id for lease in report.released] for report in self.reports]


@pytest_asyncio.fixture(loop_scope="function")
async def upstream() -> RecordingPresence:
    return RecordingPresence()


@pytest_asyncio.fixture(loop_scope="function")
async def leases(
    world: "World", upstream: RecordingPresence, clock: "Clock", monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Leases]:
    monkeypatch.setattr(random, "uniform", lambda *_: 1.0)
    made = Leases(cast(Any, upstream), world.registry, "gateway-1", RENEWAL_S)
    await made.start()
    await clock.settle()
    yield made
    await made.stop()


async def test_opened__several_at_once__are_one_report(
    world: "World", leases: Leases, upstream: RecordingPresence
) -> None:
    ada, bob = world.connect(ADA), world.connect(BOB)
    await asyncio.gather(leases.opened(ada), leases.opened(bob))

    assert upstream.open() == [[ada.id, bob.id]]
    assert upstream.reports[0].gateway == "gateway-1"


async def test_opened__presence_is_slow__goes_on_after_half_a_second(
    world: "World", leases: Leases, upstream: RecordingPresence, clock: "Clock"
) -> None:
    upstream.answers.clear()
    opened = asyncio.create_task(leases.opened(world.connect(ADA)))
    await clock.settle()
    assert not opened.done()
    await clock.advance(REPORT_WAIT_S + 0.01)

    assert opened.done()
    upstream.answers.set()


async def test_opened__while_a_report_is_under_way__is_in_the_next(
    world: "World", leases: Leases, upstream: RecordingPresence, clock: "Clock"
) -> None:
    ada, bob = world.connect(ADA), world.connect(BOB)
    upstream.answers.clear()
    first = asyncio.create_task(leases.opened(ada))
    await clock.settle()
    second = asyncio.create_task(leases.opened(bob))
    await clock.settle()
    assert upstream.open() == [[ada.id]]
    upstream.answers.set()
    await asyncio.gather(first, second)

    assert upstream.open() == [[ada.id], [bob.id]]


async def test_opened__and_closed_before_the_report__is_only_closed(
    world: "World", leases: Leases, upstream: RecordingPresence, clock: "Clock"
) -> None:
    ada = world.connect(ADA)
    opened = asyncio.create_task(leases.opened(ada))
    leases.closed(ada)
    await clock.settle()
    leases.closed(ada)
    await opened
    await clock.settle()

    assert upstream.closed()[-1] == [ada.id]


async def test_closed__not_reported__is_reported_with_the_next(
    world: "World", leases: Leases, upstream: RecordingPresence, clock: "Clock"
) -> None:
    ada, bob = world.connect(ADA), world.connect(BOB)
    upstream.error = UnavailableError()
    leases.closed(ada)
    await clock.settle()
    upstream.error = None
    opened = asyncio.create_task(leases.opened(bob))
    await clock.advance(0.6)
    await opened

    assert upstream.closed() == [[ada.id], [ada.id]]


async def test_renewal__reports_all_connections_once_an_interval(
    world: "World", leases: Leases, upstream: RecordingPresence, clock: "Clock"
) -> None:
    ada, bob = world.connect(ADA), world.connect(BOB)
    bob.active = False
    await clock.advance(RENEWAL_S - 0.1)
    assert upstream.reports == []
    await clock.advance(0.2)
    assert upstream.open() == [[ada.id, bob.id]]
    assert [lease.active for lease in upstream.reports[0].held] == [True, False]
    await clock.advance(RENEWAL_S + 0.1)

    assert len(upstream.reports) == 2


async def test_renewal__more_than_one_report_holds__are_several(
    world: "World", leases: Leases, upstream: RecordingPresence, clock: "Clock", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "MAX_LEASES", 2)
    for _ in range(5):
        world.connect(ADA)
    await clock.advance(RENEWAL_S + 0.1)

    assert [len(ids) for ids in upstream.open()] == [2, 2, 1]


async def test_stop__closes_what_is_left(world: "World", upstream: RecordingPresence, clock: "Clock") -> None:
    leases, ada = Leases(cast(Any, upstream), world.registry, "gateway-1", RENEWAL_S), world.connect(ADA)
    await leases.stop()
    assert upstream.reports == []
    leases.closed(ada)
    await leases.stop()

    assert upstream.closed() == [[ada.id]]


async def test_presence_is_away_for_some_renewals__is_logged_when_it_begins_and_when_it_is_over(
    world: "World", leases: Leases, upstream: RecordingPresence, clock: "Clock"
) -> None:
    world.connect(ADA)
    with capture_logs() as logs:
        for error in (None, UnavailableError(), UnavailableError(), None, None):
            upstream.error = error
            await clock.advance(RENEWAL_S + 0.1)

    assert len(upstream.reports) == 5
    assert [line["event"] for line in logs] == ["leases.not_reported", "leases.reported_again"]
