"""Users who came into a conversation, from api's outbox: a second way beside Redis, on which they may be lost."""

from collections.abc import Sequence

from synctalk_contracts.events.conversations import ConversationCreated, MemberChanged
from synctalk_runtime.bus import Bus

from synctalk_gateway.actions.missed_memberships import MissedMemberships


def listen(bus: Bus, missed: MissedMemberships) -> None:
    async def created(events: Sequence[ConversationCreated]) -> None:
        for event in events:
            missed.check_soon(event.conversation_id, event.change_seq, [member.user_id for member in event.members])

    async def changed(events: Sequence[MemberChanged]) -> None:
        for event in events:
            if event.role is not None:
                missed.check_soon(event.conversation_id, event.change_seq, [event.user_id])

    bus.listen(ConversationCreated, created)
    bus.listen(MemberChanged, changed)
