"""Delivers the feed's events to webhooks: at least once, in order within a conversation as far as they are accepted.

The feed is the queue: of each endpoint only the next `WINDOW` events are deliveries with tries of their own. Every
endpoint has its own few requests under way, so one that hangs delays no other.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import structlog
from synctalk_runtime.background import Loop, Tasks
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Postgres

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
        await self._record()

    async def _round(self) -> bool:
        """Return whether there may be more to do at once."""
        recorded = await self._record()
        async with self._postgres.connection() as conn:
            self._active = [webhook for webhook in await webhooks.all_webhooks(conn) if webhook.active]
        if not self._active:
            return False
        made = await self._make_deliveries()
        begun = await self._begin_due()
        return bool(recorded or made or begun)

    async def _make_deliveries(self) -> bool:
        """Return whether an endpoint has still more to come."""
        more = False
        async with self._postgres.transaction() as conn:
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

    async def _begin_due(self) -> bool:
        begun = False
        async with self._postgres.transaction() as conn:
            for webhook in self._active:
                free = IN_FLIGHT - self._in_flight[webhook.id]
                if free <= 0:
                    continue
                now = utc_now()
                for claimed in await webhook_deliveries.claim(
                    conn, webhook.id, now, now + self._lease, free, webhook_rules.PASSED_AFTER
                ):
                    begun = True
                    self._in_flight[webhook.id] += 1
                    self._sending.spawn("webhook", self._send(webhook, claimed))
        return begun

    async def _send(self, webhook: Webhook, claimed: Claimed) -> None:
        try:
            now = utc_now()
            headers = webhook_rules.headers(webhook, claimed.event_id, claimed.body, now)
            answer = await self._endpoints.post(webhook.url, claimed.body, headers)
            self._finished.append(self._judge(claimed, answer))
        finally:
            self._in_flight[webhook.id] -= 1
            self._loop.wake()

    def _judge(self, claimed: Claimed, answer: Answer) -> Finished:
        attempts = claimed.attempts + 1
        if answer.is_success:
            WEBHOOKS.labels("delivered").inc()
            return Finished(claimed.webhook_id, claimed.n, "delivered", attempts, answer.status, None, None)
        again = webhook_rules.next_try(attempts, utc_now(), self._retries_s)
        WEBHOOKS.labels("failed" if again else "dead").inc()
        status: webhook_deliveries.Status = "pending" if again else "dead"
        return Finished(claimed.webhook_id, claimed.n, status, attempts, answer.status, answer.error, again)

    async def _record(self) -> int:
        """Record what has come back since; return how much that was."""
        finished, now = list(self._finished), utc_now()
        if not finished:
            return 0
        succeeded = {one.webhook_id for one in finished if one.status == "delivered"}
        failed = {one.webhook_id for one in finished} - succeeded
        async with self._postgres.transaction() as conn:
            await webhook_deliveries.finish(conn, finished)
            await webhooks.note(conn, sorted(succeeded), sorted(failed), now)
        del self._finished[: len(finished)]
        return len(finished)

    async def clean(self) -> None:
        """Switch off endpoints that have failed for days, which is an event, and forget old deliveries."""
        now = utc_now()
        async with self._postgres.transaction() as conn:
            await webhook_deliveries.forget(conn, now - self._keep)
            off = await webhooks.switch_off(conn, now - webhook_rules.DISABLED_AFTER)
            await feed.add(conn, [feed_items.webhook_disabled(new_id(), now, webhook_id) for webhook_id in off], now)
        for webhook_id in off:
            log.warning("webhook.disabled", webhook=webhook_id)
