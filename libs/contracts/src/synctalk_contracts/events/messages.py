"""Messages: written, changed, deleted. Each carries the message as it was right after the change."""

from typing import ClassVar

from synctalk_contracts.envelope import Event
from synctalk_contracts.models import Message


class MessageCreated(Event):
    NAME: ClassVar[str] = "message.created"
    message: Message


class MessageUpdated(Event):
    NAME: ClassVar[str] = "message.updated"
    message: Message


class MessageDeleted(Event):
    NAME: ClassVar[str] = "message.deleted"
    message: Message
