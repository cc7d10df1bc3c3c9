"""How far people have read. That a sender has read up to their own message, `message.created` says by itself.

Delivery alone is not told on the bus: who needs it asks api when it matters.
"""

from typing import ClassVar

from synctalk_contracts.envelope import Event
from synctalk_contracts.ids import Id, Seq


class ReceiptRead(Event):
    NAME: ClassVar[str] = "receipt.read"
    conversation_id: Id
    user_id: Id
    read_seq: Seq
