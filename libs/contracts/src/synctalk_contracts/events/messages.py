"""Messages: written, changed, deleted. Each carries the message as it was right after the change."""

from typing import ClassVar

from pydantic import Field

from synctalk_contracts.envelope import Event
from synctalk_contracts.models import Message


class MessageCreated(Event):
    NAME: ClassVar[str] = "message.created"
    message: Message
    silent: bool = Field(default=False)
    """Nobody gets a push for it."""


class MessageUpdated(Event):
    NAME: ClassVar[str] = "message.updated"
    message: Message


class MessageDeleted(Event):
    NAME: ClassVar[str] = "message.deleted"
    message: Message


class MessageCompleted(Event):
    """A streamed message has its whole text."""

    NAME: ClassVar[str] = "message.completed"
    message: Message
