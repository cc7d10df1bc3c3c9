"""Delivers the feed's events to webhooks: at least once, in order within a conversation as far as they are accepted.

The feed is the queue: of each endpoint only the next `WINDOW` events are deliveries with tries of their own. Every
endpoint has its own few requests under way, so one that hangs delays no other.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import structlog
from synctalk_runtime.background import Loop, Tasks
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_notifier import feed_items, webhook_rules
from synctalk_notifier.actions.metrics import WEBHOOKS
from synctalk_notifier.clients.endpoints import Answer, Endpoints
from synctalk_notifier.store import feed, webhook_deliveries, webhooks
from synctalk_notifier.store.webhook_deliveries import Claimed, Finished
from synctalk_notifier.store.webhooks import Webhook

log = structlog.get_logger()

WINDOW = 1_000
"""Deliveries of one endpoint that are pending at once."""
IN_FLIGHT = 8
"""Requests to one endpoint at once, of one process."""
FOLLOWING = 15
"""Events of a lane that are claimed with their first one, and sent after it."""
INTERVAL_S = 1.0
MIN_PAUSE_S = 0.02
SLACK_S = 30.0
"""How much longer than a request's deadline a claim lasts."""


class WebhookSending:
    """Makes deliveries of new events and sends what is due, in a loop that new events wake."""

    def __init__(
        self,
        postgres: Postgres,
        endpoints: Endpoints,
        *,
        timeout_s: float,
        retries_s: Sequence[float],
        keep: timedelta,
        stop_s: float,
    ) -> None:
        self._postgres = postgres
        self._endpoints = endpoints
        self._lease = timedelta(seconds=timeout_s + SLACK_S)
        self._retries_s = retries_s
        self._keep = keep
        self._stop_s = stop_s
        self._sending = Tasks()
        self._in_flight: Counter[str] = Counter()
        self._finished: list[Finished] = []
        self._released: list[Claimed] = []
        self._active: list[Webhook] = []
        self._loop = Loop("webhooks", self._round, INTERVAL_S, min_pause_s=MIN_PAUSE_S)
        self.start = self._loop.start

    def on_added(self) -> None:
        """There are new events in the feed."""
        if self._active:
            self._loop.wake()

    async def stop(self) -> None:
        """Begin nothing more, and let the requests under way end within the time of a shutdown."""
        await self._loop.stop()
        await self._sending.stop(self._stop_s)
        async with self._postgres.transaction() as conn:
            await self._record(conn, self._finished, self._released)

    async def _round(self) -> bool:
        """Return whether there may be more to do at once."""
        finished, released = list(self._finished), list(self._released)
        async with self._postgres.transaction() as conn:
            await webhook_deliveries.plan_anew(conn)
            await self._record(conn, finished, released)
            self._active = [webhook for webhook in await webhooks.all_webhooks(conn) if webhook.active]
            made = bool(self._active) and await self._make_deliveries(conn)
            due = [(webhook, sequence) for webhook in self._active for sequence in await self._claim(conn, webhook)]
        del self._finished[: len(finished)], self._released[: len(released)]
        for webhook, sequence in due:
            self._in_flight[webhook.id] += 1
            self._sending.spawn("webhook", self._send_all(webhook, sequence))
        return bool(finished or made or due)

    async def _make_deliveries(self, conn: Connection) -> bool:
        """Return whether an endpoint has still more to come."""
        more = False
        _, last = await feed.end(conn)
        for webhook in await webhooks.behind(conn):
            space = WINDOW - await webhook_deliveries.count_pending(conn, webhook.id)
            if space <= 0:
                continue
            position = await webhook_deliveries.add(
                conn, webhook.id, webhook.position, last, webhook.types, space, utc_now()
            )
            await webhooks.move(conn, webhook.id, position)
            more = more or position < last
        return more

    async def _claim(self, conn: Connection, webhook: Webhook) -> Sequence[Sequence[Claimed]]:
        free = IN_FLIGHT - self._in_flight[webhook.id]
        if free <= 0:
            return []
        now = utc_now()
        return await webhook_deliveries.claim(
            conn, webhook.id, now, now + self._lease, free, webhook_rules.PASSED_AFTER, FOLLOWING
        )

    async def _send_all(self, webhook: Webhook, sequence: Sequence[Claimed]) -> None:
        """Send one after the other, as far as they are accepted and the claim lasts for one more."""
        end, sent = asyncio.get_running_loop().time() + SLACK_S, 0
        try:
            for claimed in sequence:
                sent += 1
                accepted = await self._send(webhook, claimed)
                if not accepted or asyncio.get_running_loop().time() >= end:
                    break
        finally:
            self._released.extend(sequence[sent:])
            self._in_flight[webhook.id] -= 1
            self._loop.wake()

    async def _send(self, webhook: Webhook, claimed: Claimed) -> bool:
        headers = webhook_rules.headers(webhook, claimed.event_id, claimed.body, utc_now())
        answer = await self._endpoints.post(webhook.url, claimed.body, headers)
        self._finished.append(self._judge(claimed, answer))
        return answer.is_success

    def _judge(self, claimed: Claimed, answer: Answer) -> Finished:
        attempts = claimed.attempts + 1
        if answer.is_success:
            WEBHOOKS.labels("delivered").inc()
            return Finished(claimed.webhook_id, claimed.n, "delivered", attempts, answer.status, None, None)
        again = webhook_rules.next_try(attempts, utc_now(), self._retries_s)
        WEBHOOKS.labels("failed" if again else "dead").inc()
        status: webhook_deliveries.Status = "pending" if again else "dead"
        return Finished(claimed.webhook_id, claimed.n, status, attempts, answer.status, answer.error, again)

    async def _record(self, conn: Connection, finished: Sequence[Finished], released: Sequence[Claimed]) -> None:
        """Record what has come back, and what was claimed and not sent."""
        if finished:
            succeeded = {one.webhook_id for one in finished if one.status == "delivered"}
            failed = {one.webhook_id for one in finished} - succeeded
            await webhook_deliveries.finish(conn, finished)
            await webhooks.note(conn, sorted(succeeded), sorted(failed), utc_now())
        if released:
            await webhook_deliveries.release(conn, released)

    async def clean(self) -> None:
        """Switch off endpoints that have failed for days, which is an event, and forget old deliveries."""
        now = utc_now()
        async with self._postgres.transaction() as conn:
            await webhook_deliveries.forget(conn, now - self._keep)
            off = await webhooks.switch_off(conn, now - webhook_rules.DISABLED_AFTER)
            await feed.add(conn, [feed_items.webhook_disabled(new_id(), now, webhook_id) for webhook_id in off], now)
        for webhook_id in off:
            log.warning("webhook.disabled", webhook=webhook_id)
