"""Read receipts. `message.created` says by itself that its sender has read up to it.

Delivery alone is not published on the bus: who needs it asks api.
"""

from typing import ClassVar

from synctalk_contracts.envelope import Event
from synctalk_contracts.ids import Id, Seq


class ReceiptRead(Event):
    NAME: ClassVar[str] = "receipt.read"
    conversation_id: Id
    user_id: Id
    read_seq: Seq


class ThreadRead(Event):
    """A user has read a thread up to here; with a reply its sender has, which `message.created` says."""

    NAME: ClassVar[str] = "thread.read"
    conversation_id: Id
    thread_id: Id
    user_id: Id
    read_seq: Seq
