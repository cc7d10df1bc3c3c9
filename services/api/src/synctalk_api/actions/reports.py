"""Reports of messages: members write them, operators read and close them (`python -m synctalk_api reports`)."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain

import structlog
from prometheus_client import Counter
from synctalk_contracts.events.reports import ReportCreated
from synctalk_runtime import outbox
from synctalk_runtime.errors import ForbiddenError, NotFoundError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api.actions.access import lock_as_member, require_reader
from synctalk_api.settings import Settings
from synctalk_api.store import messages, reports
from synctalk_api.store.reports import Report
from synctalk_api.store.stores import Stores

log = structlog.get_logger()

RECEIVED = Counter("api_reports_total", "Messages that members have reported to the operators.")

LISTED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Reports:
    stores: Stores

    async def report(self, user_id: str, conversation_id: str, message_id: str, reason: str) -> None:
        """Queue the message as it is now for the operators; once for a user and message."""
        async with self.stores.changing(conversation_id) as conn:
            await lock_as_member(conn, conversation_id, user_id)
            found = await messages.by_ids(conn, [(conversation_id, message_id)])
            begins_after = await require_reader(conn, conversation_id, user_id)
            if not found or found[conversation_id, message_id].seq <= begins_after:
                raise NotFoundError
            row = found[conversation_id, message_id]
            if row.system is not None:
                raise ForbiddenError
            report = Report(new_id(), conversation_id, message_id, row.sender_id, row.body, user_id, reason, utc_now())
            added = await reports.add(conn, report)
            if added:
                await outbox.add(conn, [_created(report)])
        if added:
            RECEIVED.inc()
            log.info("reports.received", report_id=report.id, conversation_id=conversation_id)


def _created(report: Report) -> ReportCreated:
    return ReportCreated(
        conversation_id=report.conversation_id,
        message_id=report.message_id,
        reporter_id=report.reported_by,
        reason=report.reason,
    )


async def open_reports(settings: Settings) -> list[Report]:
    """Return the oldest that no operator has closed, of all stores."""
    found = [await reports.oldest_open(conn, LISTED_MAX) async for conn in _each_store(settings)]
    return sorted(chain.from_iterable(found), key=lambda report: (report.created_at, report.id))[:LISTED_MAX]


async def close(settings: Settings, report_ids: Iterable[str]) -> int:
    """Close these reports, and return how many were open."""
    closed, wanted, now = 0, list(report_ids), utc_now()
    async for conn in _each_store(settings):
        closed += await reports.close(conn, wanted, now)
    return closed


async def _each_store(settings: Settings) -> AsyncIterator[Connection]:
    for name, address in settings.addresses_of_stores.items():
        chosen = settings.model_copy(update={"database_url": address, "database_pool_size": 1})
        async with _opened(Postgres(chosen, f"reports.{name}")) as postgres, postgres.connection() as conn:
            yield conn


@asynccontextmanager
async def _opened(postgres: Postgres) -> AsyncIterator[Postgres]:
    await postgres.open()
    try:
        yield postgres
    finally:
        await postgres.close()
