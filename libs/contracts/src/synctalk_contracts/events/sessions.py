"""Sessions that ended before their token did."""

from typing import ClassVar

from synctalk_contracts.envelope import Event
from synctalk_contracts.ids import Id, Timestamp
from synctalk_contracts.models import EndReason


class SessionRevoked(Event):
    NAME: ClassVar[str] = "session.revoked"
    session_id: Id
    user_id: Id
    reason: EndReason
    deny_until: Timestamp
    """After this no access token of the session can still be alive: the entry may be forgotten."""
