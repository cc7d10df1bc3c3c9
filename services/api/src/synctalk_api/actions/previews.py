"""Show previews of a message's links: a change of the message, whoever of the conversation is here meanwhile."""

from dataclasses import dataclass

from synctalk_contracts.internal import PreviewsMade

from synctalk_api.actions.changes import change_of_senders
from synctalk_api.actions.commands import ShowPreviews
from synctalk_api.clients.fanout import Fanout
from synctalk_api.store.stores import Stores


@dataclass(frozen=True, slots=True)
class Previews:
    stores: Stores
    fanout: Fanout

    async def show(self, made: PreviewsMade) -> None:
        """Show them, unless the message has other links by now, is deleted, or is where nothing changes any more.

        Raises NotFoundError for an unknown conversation.
        """
        command = ShowPreviews(
            conversation_id=made.conversation_id,
            user_id=made.sender_id,
            message_id=made.message_id,
            links=made.links,
            previews=made.previews,
        )
        async with self.stores.changing(made.conversation_id) as conn:
            broadcast = await change_of_senders(conn, made.conversation_id, [command])
        self.fanout.publish(broadcast)
