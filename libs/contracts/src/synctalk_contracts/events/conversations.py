"""Conversations and who is in them."""

from typing import ClassVar, Literal

from pydantic import Field

from synctalk_contracts.base import Contract
from synctalk_contracts.envelope import Event
from synctalk_contracts.ids import Id, Seq, Timestamp
from synctalk_contracts.models import HostConversation, Role


class MemberAtCreation(Contract):
    user_id: Id
    role: Role


class ConversationCreated(Event):
    NAME: ClassVar[str] = "conversation.created"
    conversation_id: Id
    type: Literal["direct", "group"]
    title: str | None
    created_by: Id
    created_at: Timestamp
    members: list[MemberAtCreation]
    change_seq: Seq
    conversation: HostConversation | None = Field(default=None)


class ConversationUpdated(Event):
    NAME: ClassVar[str] = "conversation.updated"
    conversation_id: Id
    title: str | None
    change_seq: Seq
    conversation: HostConversation | None = Field(default=None)


class ConversationDeleted(Event):
    """A group is gone for everybody, with all that was said in it."""

    NAME: ClassVar[str] = "conversation.deleted"
    conversation: HostConversation
    change_seq: Seq


class MemberChanged(Event):
    NAME: ClassVar[str] = "member.changed"
    conversation_id: Id
    user_id: Id
    role: Role | None
    """None: gone."""
    change_seq: Seq
