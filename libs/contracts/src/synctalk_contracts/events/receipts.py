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
