"""`/v1/webhooks`: the host app's endpoints that get the feed's events."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.feed import FeedType
from synctalk_contracts.ids import Id, Timestamp
from synctalk_contracts.models import Scope
from synctalk_contracts.text import Text
from synctalk_runtime import cursors
from synctalk_runtime.credentials import ServerKey
from synctalk_runtime.openapi import BODY, refusals
from synctalk_runtime.outbound import MAX_URL_CHARS
from synctalk_runtime.tokens import requires

from synctalk_notifier.actions.webhooks import WebhookChange
from synctalk_notifier.routes.dependencies import ALWAYS, CurrentServices
from synctalk_notifier.store.webhook_deliveries import Status
from synctalk_notifier.store.webhooks import Webhook

LIST = "webhook_deliveries"
_CURSOR: TypeAdapter[tuple[str, tuple[str], int]] = TypeAdapter(tuple[str, tuple[str], int])
NEWEST = 2**62


async def limit_webhooks(
    services: CurrentServices, key: Annotated[ServerKey, Depends(requires(Scope.WEBHOOKS))]
) -> None:
    """Take a token from the key's bucket. Raises RateLimitedError."""
    await services.limiter.take(services.events_limit, key.id)


router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], dependencies=[Depends(limit_webhooks)])

WebhookId = Annotated[Id, Path()]
Url = Annotated[Text, Field(min_length=1, max_length=MAX_URL_CHARS)]
Types = Annotated[list[Annotated[FeedType, Field(strict=False)]], Field(min_length=1, max_length=len(FeedType))]
Description = Annotated[Text, Field(max_length=255)]


class NewWebhook(Request):
    url: Url
    types: Types
    description: Description = ""


class CreatedWebhook(Contract):
    id: Id
    secret: str
    """Shown only here."""


class ListedWebhook(Contract):
    id: Id
    url: str
    types: list[str]
    description: str
    active: bool
    created_at: Timestamp
    failing_since: Timestamp | None
    """Of the first failure since a delivery succeeded."""


class ChangedWebhook(ListedWebhook):
    secret: str | None
    """The new secret, where it was rotated; for 24 hours the one before signs too."""


class Webhooks(Contract):
    items: list[ListedWebhook]
    next_cursor: None = None
    """Always null: all webhooks fit on one page."""


class PatchWebhook(Request):
    active: bool | None = None
    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    rotate_secret: bool = False


class TestResult(Contract):
    status: int | None
    """Of the response; null: there was none."""
    duration_ms: int
    error: str | None
    """Why it did not succeed."""


class Delivery(Contract):
    event_id: Id
    type: str
    status: Status
    attempts: int
    last_status: int | None
    last_error: str | None
    next_try_at: Timestamp | None


class Deliveries(Contract):
    items: list[Delivery]
    next_cursor: str | None
    """To be passed as `?cursor=` for the next page; null on the last one."""


class Replay(Request):
    after: Annotated[Text, Field(min_length=1, max_length=cursors.MAX_CHARS)]
    """`next` of a page of the feed, or `0`."""


def _listed(webhook: Webhook) -> ListedWebhook:
    return ListedWebhook(
        id=webhook.id,
        url=webhook.url,
        types=webhook.types,
        description=webhook.description,
        active=webhook.active,
        created_at=webhook.created_at,
        failing_since=webhook.failing_since,
    )


@router.post(
    "",
    status_code=201,
    summary="Make a webhook",
    responses=refusals(*BODY, *ALWAYS, ErrorCode.FORBIDDEN, ErrorCode.CONFLICT),
)
async def post_webhook(body: NewWebhook, services: CurrentServices) -> CreatedWebhook:
    """It gets the events of **all conversations, direct ones included**, from now on."""
    webhook_id, secret = await services.webhooks.create(body.url, body.types, body.description)
    return CreatedWebhook(id=webhook_id, secret=secret)


@router.get("", summary="List the webhooks", responses=refusals(*ALWAYS, ErrorCode.FORBIDDEN))
async def get_webhooks(services: CurrentServices) -> Webhooks:
    return Webhooks(items=[_listed(webhook) for webhook in await services.webhooks.all()])


@router.patch(
    "/{webhook_id}",
    summary="Change a webhook, switch it on or off, rotate its secret",
    responses=refusals(*BODY, *ALWAYS, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND),
)
async def patch_webhook(webhook_id: WebhookId, body: PatchWebhook, services: CurrentServices) -> ChangedWebhook:
    change = WebhookChange(body.url, body.types, body.description, body.active, body.rotate_secret)
    webhook = await services.webhooks.change(webhook_id, change)
    secret = webhook.secret if body.rotate_secret else None
    return ChangedWebhook(**_listed(webhook).model_dump(), secret=secret)


@router.delete(
    "/{webhook_id}",
    status_code=204,
    summary="Delete a webhook",
    responses=refusals(*ALWAYS, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND),
)
async def delete_webhook(webhook_id: WebhookId, services: CurrentServices) -> None:
    await services.webhooks.delete(webhook_id)


@router.post(
    "/{webhook_id}/test",
    summary="Send a webhook an event of type webhook.test",
    responses=refusals(*ALWAYS, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND),
)
async def post_test(webhook_id: WebhookId, services: CurrentServices) -> TestResult:
    answer, duration_ms = await services.webhooks.test(webhook_id)
    return TestResult(status=answer.status, duration_ms=duration_ms, error=answer.error)


@router.get(
    "/{webhook_id}/deliveries",
    summary="List the deliveries of a webhook, latest first",
    responses=refusals(*ALWAYS, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND, ErrorCode.BAD_CURSOR),
)
async def get_deliveries(
    webhook_id: WebhookId,
    services: CurrentServices,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(min_length=1, max_length=cursors.MAX_CHARS)] = None,
) -> Deliveries:
    before = NEWEST if cursor is None else cursors.decode(cursor, LIST, (webhook_id,), _CURSOR)[1]
    found = await services.webhooks.deliveries(webhook_id, before, limit)
    items = [
        Delivery(
            event_id=one.event_id,
            type=one.type,
            status=one.status,
            attempts=one.attempts,
            last_status=one.last_status,
            last_error=one.last_error,
            next_try_at=one.next_try_at,
        )
        for one in found
    ]
    next_cursor = cursors.encode(LIST, (webhook_id,), found[-1].n) if len(found) == limit else None
    return Deliveries(items=items, next_cursor=next_cursor)


@router.post(
    "/{webhook_id}/replay",
    status_code=202,
    summary="Deliver again what follows a place in the feed",
    responses=refusals(*BODY, *ALWAYS, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND, ErrorCode.BAD_CURSOR, ErrorCode.GONE),
)
async def post_replay(webhook_id: WebhookId, body: Replay, services: CurrentServices) -> None:
    await services.webhooks.replay(webhook_id, body.after)
