"""`notifier.events`: what happens in conversations."""

from functools import partial

from synctalk_contracts.events.conversations import ConversationCreated, MemberChanged
from synctalk_contracts.events.messages import MessageCreated, MessageDeleted
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_runtime.bus import Bus

from synctalk_notifier.actions.hear import hear
from synctalk_notifier.parts import Parts

QUEUE = "notifier.events"
EVENTS = (ConversationCreated, MemberChanged, MessageCreated, MessageDeleted, ReceiptRead)


def subscribe(bus: Bus, parts: Parts) -> None:
    bus.subscribe(QUEUE, EVENTS, partial(hear, parts))
