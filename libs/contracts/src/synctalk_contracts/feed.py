"""Events for the host app's backend: in the feed, and by webhooks, the same bytes."""

from enum import StrEnum
from typing import Any

from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id, Timestamp


class FeedType(StrEnum):
    MESSAGE_CREATED = "message.created"
    MESSAGE_UPDATED = "message.updated"
    MESSAGE_DELETED = "message.deleted"
    CONVERSATION_CREATED = "conversation.created"
    CONVERSATION_UPDATED = "conversation.updated"
    CONVERSATION_DELETED = "conversation.deleted"
    MEMBER_CHANGED = "member.changed"
    RECEIPT_READ = "receipt.read"
    USER_CREATED = "user.created"
    USER_UPDATED = "user.updated"
    USER_DEACTIVATED = "user.deactivated"
    SESSION_ENDED = "session.ended"
    PUSH_FAILED = "push.failed"
    REPORT_CREATED = "report.created"
    WEBHOOK_DISABLED = "webhook.disabled"


WEBHOOK_TEST = "webhook.test"
"""The type of the event that a test of a webhook sends; it is in no feed."""


class FeedEvent(Contract):
    id: Id
    """The same wherever and however often the event is read."""
    type: str
    """`FeedType`, or `webhook.test`. Later versions may add others."""
    created_at: Timestamp
    data: dict[str, Any]
