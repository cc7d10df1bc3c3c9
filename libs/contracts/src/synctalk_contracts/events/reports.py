"""Reports of messages to the operators."""

from typing import ClassVar

from synctalk_contracts.envelope import Event
from synctalk_contracts.ids import Id


class ReportCreated(Event):
    NAME: ClassVar[str] = "report.created"
    conversation_id: Id
    message_id: Id
    reporter_id: Id
    reason: str
