"""What the host app's feed says of an event, as pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.conversations import (
    ConversationCreated,
    ConversationDeleted,
    ConversationUpdated,
    MemberChanged,
)
from synctalk_contracts.events.messages import MessageCreated, MessageDeleted, MessageUpdated
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_contracts.events.reports import ReportCreated
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.events.users import (
    ErasureRequested,
    UserDeactivated,
    UserReactivated,
    UserRegistered,
    UserUpdated,
)
from synctalk_contracts.feed import FeedType
from synctalk_contracts.models import EraseMode, HostConversation, ServerUser, User
from synctalk_runtime.consuming import Published

from synctalk_notifier.store.feed import FeedItem, Receipt

OfUser = UserRegistered | UserUpdated | UserDeactivated | UserReactivated

_MESSAGES: Mapping[type[Event], FeedType] = {
    MessageCreated: FeedType.MESSAGE_CREATED,
    MessageUpdated: FeedType.MESSAGE_UPDATED,
    MessageDeleted: FeedType.MESSAGE_DELETED,
}


@dataclass(slots=True)
class Taken:
    """What a batch of published events makes of the feed."""

    items: list[FeedItem] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    redacted: dict[str, str] = field(default_factory=dict)
    """New data of all events about a message or user, by its id."""
    emptied: dict[str, datetime] = field(default_factory=dict)
    """Conversations of which nothing that was said is left, and since when."""


def users_needed(events: Iterable[Event]) -> set[str]:
    """Return the ids of the users of whom auth knows more than these events say."""
    needed = set()
    for event in events:
        if isinstance(event, UserUpdated):
            needed.add(event.user.id)
        elif isinstance(event, (UserDeactivated, UserReactivated)):
            needed.add(event.user_id)
    return needed


def taken(published: Sequence[Published], users: Mapping[str, ServerUser]) -> Taken:
    """Return what is to be stored of these events. `users`: those that `users_needed` asked for, as far as known."""
    result = Taken()
    for one in published:
        event = one.event
        if isinstance(event, ReceiptRead):
            result.receipts.append(Receipt(event.conversation_id, event.user_id, event.read_seq, one.id, one.time))
            continue
        item = _item(one, users)
        if item is not None:
            result.items.append(item)
        if isinstance(event, ConversationDeleted):
            result.emptied[event.conversation.id] = one.time
        elif isinstance(event, MessageDeleted) and item is not None:
            result.redacted[event.message.id] = item.data
        elif isinstance(event, ErasureRequested) and event.mode is EraseMode.AUTHOR:
            result.redacted[event.user.id] = _json(user=_user(event.user, None))
    return result


def receipt_item(receipt: Receipt) -> FeedItem:
    data = _json(conversation_id=receipt.conversation_id, user_id=receipt.user_id, seq=receipt.seq)
    return FeedItem(receipt.id, FeedType.RECEIPT_READ, receipt.since, receipt.conversation_id, None, data)


def push_failed(
    event_id: str, now: datetime, *, user_id: str, device_id: str, conversation_id: str, message_id: str, reason: str
) -> FeedItem:
    data = _json(
        user_id=user_id, device_id=device_id, conversation_id=conversation_id, message_id=message_id, reason=reason
    )
    return FeedItem(event_id, FeedType.PUSH_FAILED, now, conversation_id, None, data)


def webhook_disabled(event_id: str, now: datetime, webhook_id: str) -> FeedItem:
    return FeedItem(event_id, FeedType.WEBHOOK_DISABLED, now, None, None, _json(webhook_id=webhook_id))


def _item(one: Published, users: Mapping[str, ServerUser]) -> FeedItem | None:
    match one.event:
        case MessageCreated() | MessageUpdated() | MessageDeleted():
            message = one.event.message
            data = f'{{"message":{message.model_dump_json()}}}'
            return _made(one, _MESSAGES[type(one.event)], message.conversation_id, message.id, data)
        case SessionRevoked():
            event = one.event
            data = _json(user_id=event.user_id, session_id=event.session_id, reason=event.reason)
            return _made(one, FeedType.SESSION_ENDED, None, None, data)
        case UserRegistered() | UserUpdated() | UserDeactivated() | UserReactivated():
            return _item_of_user(one, one.event, users)
        case MemberChanged():
            return _made(one, FeedType.MEMBER_CHANGED, one.event.conversation_id, None, _dumped(one.event))
        case ReportCreated():
            return _made(one, FeedType.REPORT_CREATED, one.event.conversation_id, None, _dumped(one.event))
        case _:
            return _item_of_conversation(one)


def _item_of_conversation(one: Published) -> FeedItem | None:
    match one.event:
        case ConversationCreated():
            kind, conversation = FeedType.CONVERSATION_CREATED, _conversation(one.event, one.time)
        case ConversationUpdated():
            kind, conversation = FeedType.CONVERSATION_UPDATED, _conversation(one.event, one.time)
        case ConversationDeleted():
            kind, conversation = FeedType.CONVERSATION_DELETED, one.event.conversation
        case _:
            return None
    return _made(one, kind, conversation.id, None, _json(conversation=conversation.model_dump(mode="json")))


def _item_of_user(one: Published, event: OfUser, users: Mapping[str, ServerUser]) -> FeedItem | None:
    match event:
        case UserRegistered():
            kind, user, external_id = FeedType.USER_CREATED, event.user, event.external_id
        case UserUpdated():
            known = users.get(event.user.id)
            kind, user, external_id = FeedType.USER_UPDATED, event.user, known.external_id if known else None
        case UserDeactivated() | UserReactivated():
            found = users.get(event.user_id)
            if found is None:
                return None
            is_gone = isinstance(event, UserDeactivated)
            kind, user = FeedType.USER_DEACTIVATED if is_gone else FeedType.USER_UPDATED, found
            external_id = found.external_id
    return _made(one, kind, None, user.id, _json(user=_user(user, external_id)))


def _made(one: Published, kind: FeedType, conversation_id: str | None, subject_id: str | None, data: str) -> FeedItem:
    return FeedItem(one.id, kind, one.time, conversation_id, subject_id, data)


def _conversation(event: ConversationCreated | ConversationUpdated, time: datetime) -> HostConversation:
    """Return the conversation; an api of the version before does not say all of it."""
    if event.conversation is not None:
        return event.conversation
    is_new = isinstance(event, ConversationCreated)
    created_at = event.created_at if isinstance(event, ConversationCreated) else time
    return HostConversation(
        id=event.conversation_id,
        external_id=None,
        type=event.type if isinstance(event, ConversationCreated) else "group",
        title=event.title,
        metadata={},
        created_at=created_at,
        updated_at=created_at if is_new else time,
    )


def _user(user: User, external_id: str | None) -> dict[str, Any]:
    """Return what the feed says of a user: nothing private."""
    return user.model_dump(mode="json", include=set(User.model_fields)) | {"external_id": external_id}


def _dumped(event: MemberChanged | ReportCreated) -> str:
    return orjson.dumps(event.model_dump(mode="json")).decode()


def _json(**fields: Any) -> str:
    return orjson.dumps(fields).decode()
