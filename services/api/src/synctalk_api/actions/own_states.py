"""What a conversation is to one member alone; nobody else gets a change of it, and it takes no number."""

from dataclasses import dataclass

from synctalk_contracts import sockets
from synctalk_contracts.models import Conversation
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_api.actions.access import lock_as_member
from synctalk_api.actions.conversations import view_of
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.store import conversations, own_views
from synctalk_api.store.stores import Stores


@dataclass(frozen=True, slots=True)
class OwnStates:
    stores: Stores
    fanout: Fanout

    async def change(
        self, user_id: str, conversation_id: str, *, unread: bool, pinned: bool | None, hidden: bool | None
    ) -> Conversation:
        """Pin, hide or mark the conversation unread, where asked; what it is already changes nothing."""
        broadcast = Broadcast()
        async with self.stores.changing(conversation_id) as conn:
            await lock_as_member(conn, conversation_id, user_id)
            before = await view_of(conn, conversation_id, user_id)
            await own_views.set_own_state(
                conn, conversation_id, user_id, utc_now(), unread=unread, pinned=pinned, hidden=hidden
            )
            after = await view_of(conn, conversation_id, user_id)
            if after != before:
                await publish_own_state(conn, broadcast, conversation_id, user_id)
        await self.fanout.publish_and_wait(broadcast)
        return after


async def publish_own_state(conn: Connection, broadcast: Broadcast, conversation_id: str, user_id: str) -> None:
    """Add the conversation as this member sees it to the broadcast, for the member's sockets alone."""
    for view in await conversations.views(conn, [(conversation_id, user_id)]):
        broadcast.to_room(
            conversation_id,
            sockets.ConversationUpdatedToClient,
            user_id,
            view.model_dump(mode="json"),
            after=view.change_seq,
            views=await own_views.views_of(conn, conversation_id, [user_id]),
        )
