"""The host app's webhooks: made, changed, tried out, replayed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from synctalk_contracts.feed import WEBHOOK_TEST
from synctalk_runtime.errors import ConflictError, GoneError, InvalidError, NotFoundError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.outbound import ForbiddenAddressError, InvalidUrlError, Outbound
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_notifier import webhook_rules
from synctalk_notifier.actions.feed import position_of
from synctalk_notifier.clients.endpoints import Answer, Endpoints
from synctalk_notifier.store import feed, webhook_deliveries, webhooks
from synctalk_notifier.store.webhook_deliveries import Listed
from synctalk_notifier.store.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """What is to be changed; None: as it is."""

    url: str | None = None
    types: Sequence[str] | None = None
    description: str | None = None
    active: bool | None = None
    rotate_secret: bool = False


class Webhooks:
    def __init__(self, postgres: Postgres, outbound: Outbound, endpoints: Endpoints, max_webhooks: int) -> None:
        self._postgres = postgres
        self._outbound = outbound
        self._endpoints = endpoints
        self._max_webhooks = max_webhooks

    async def create(self, url: str, types: Sequence[str], description: str) -> tuple[str, str]:
        """Make a webhook of what happens from now on; return its id and its secret.

        Raises:
            InvalidError: the URL is none that we call.
            ConflictError: there are too many.
        """
        await self._check(url)
        webhook_id, secret = new_id(), webhook_rules.new_secret()
        async with self._postgres.transaction() as conn:
            if await webhooks.lock_count(conn) >= self._max_webhooks:
                raise ConflictError(f"There are {self._max_webhooks} webhooks already.")
            await webhooks.add(conn, webhook_id, url, _unique(types), description, secret, utc_now())
        return webhook_id, secret

    async def all(self) -> list[Webhook]:
        async with self._postgres.connection() as conn:
            return await webhooks.all_webhooks(conn)

    async def change(self, webhook_id: str, change: WebhookChange) -> Webhook:
        """Change a webhook and return it. One that is switched on again goes on from where it was.

        Raises NotFoundError, or InvalidError for a URL that we do not call.
        """
        if change.url is not None:
            await self._check(change.url)
        async with self._postgres.transaction() as conn:
            webhook = _found(await webhooks.lock(conn, webhook_id))
            changed = _changed(webhook, change)
            await webhooks.change(conn, changed)
        return changed

    async def delete(self, webhook_id: str) -> None:
        """Delete a webhook with its deliveries. Raises NotFoundError."""
        async with self._postgres.transaction() as conn:
            if not await webhooks.delete(conn, webhook_id):
                raise NotFoundError

    async def test(self, webhook_id: str) -> tuple[Answer, int]:
        """Send an event of a type of its own, now and once; return what came of it, and how long it took, in ms."""
        async with self._postgres.connection() as conn:
            webhook = _found(await webhooks.get(conn, webhook_id))
        event_id, now = new_id(), utc_now()
        body = feed.event_json(event_id, WEBHOOK_TEST, now, "{}")
        began = time.monotonic()
        answer = await self._endpoints.post(webhook.url, body, webhook_rules.headers(webhook, event_id, body, now))
        return answer, round((time.monotonic() - began) * 1000)

    async def deliveries(self, webhook_id: str, before: int, limit: int) -> list[Listed]:
        """Return deliveries by number, latest first. Raises NotFoundError."""
        async with self._postgres.connection() as conn:
            _found(await webhooks.get(conn, webhook_id))
            return await webhook_deliveries.listed(conn, webhook_id, before, limit)

    async def replay(self, webhook_id: str, after: str) -> None:
        """Deliver again, or at last, what follows a place in the feed.

        Raises NotFoundError, BadCursorError, or GoneError when that is not kept any more.
        """
        position = position_of(after)
        async with self._postgres.transaction() as conn:
            webhook = _found(await webhooks.lock(conn, webhook_id))
            first, _ = await feed.end(conn)
            start = first - 1 if position is None else position
            if start < first - 1:
                raise GoneError
            await _go_back(conn, webhook, start)

    async def _check(self, url: str) -> None:
        try:
            await self._outbound.check(url)
        except (InvalidUrlError, ForbiddenAddressError) as error:
            raise InvalidError.of("url", str(error)) from None


async def _go_back(conn: Connection, webhook: Webhook, position: int) -> None:
    if position < webhook.position:
        await webhooks.move(conn, webhook.id, position)


def _changed(webhook: Webhook, change: WebhookChange) -> Webhook:
    changed = replace(
        webhook,
        url=webhook.url if change.url is None else change.url,
        types=webhook.types if change.types is None else _unique(change.types),
        description=webhook.description if change.description is None else change.description,
        active=webhook.active if change.active is None else change.active,
    )
    if changed.active and not webhook.active:
        changed = replace(changed, failing_since=None)
    if change.rotate_secret:
        until = utc_now() + webhook_rules.OLD_SECRET_FOR
        changed = replace(changed, secret=webhook_rules.new_secret(), old_secret=webhook.secret, old_secret_until=until)
    return changed


def _found(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise NotFoundError
    return webhook


def _unique(types: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(types))
