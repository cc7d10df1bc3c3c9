"""Messages that a host app lets conversations say: no user's, sent by the built-in bot."""

from collections.abc import Sequence
from typing import cast

import orjson
from synctalk_contracts import sockets
from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_api.actions.access import archived
from synctalk_api.actions.commands import BatchResult, Command, CommandResult, Outcome, SayCustom
from synctalk_api.actions.messages import republish
from synctalk_api.actions.system_messages import new_row
from synctalk_api.clients.fanout import Broadcast
from synctalk_api.errors import ClientMessageIdReusedError
from synctalk_api.store import system_messages
from synctalk_api.store.messages import MessageRow


async def say_custom(postgres: Postgres, commands: Sequence[Command]) -> BatchResult:
    """Store the new messages; a repeated one has the result of the first time."""
    wanted = [cast(SayCustom, command.payload) for command in commands]
    now, broadcast = utc_now(), Broadcast()
    outcomes: list[Outcome] = []
    new: dict[tuple[str, str], MessageRow] = {}
    async with postgres.transaction() as conn:
        locked = await system_messages.lock(conn, [each.conversation_id for each in wanted])
        numbers = {each: (row["last_seq"], row["change_seq"]) for each, row in locked.items()}
        keys = [(each.conversation_id, each.client_message_id) for each in wanted]
        before = await system_messages.said(conn, SYSTEM_USER_ID, keys)
        for key, each, command in zip(keys, wanted, commands, strict=True):
            known = before.get(key) or new.get(key)
            if each.conversation_id not in locked:
                outcomes.append(NotFoundError())
            elif known is not None:
                outcomes.append(_repeated(each, known, command, broadcast))
            elif (since := locked[each.conversation_id]["archived_at"]) is not None:
                outcomes.append(archived(since))
            else:
                seq, change_seq = (number + 1 for number in numbers[each.conversation_id])
                numbers[each.conversation_id] = seq, change_seq
                row = new_row(
                    each.conversation_id,
                    SYSTEM_USER_ID,
                    each.system,
                    seq=seq,
                    change_seq=change_seq,
                    now=now,
                    client_message_id=each.client_message_id,
                    body=each.body,
                    metadata=each.metadata,
                )
                new[key] = row
                encoded = row.to_json()
                broadcast.to_room(
                    row.conversation_id,
                    sockets.MessageNewToClient,
                    row.sender_id,
                    orjson.Fragment(encoded),
                    change_seq=change_seq,
                )
                outcomes.append(CommandResult(encoded))
        await system_messages.insert(conn, list(new.values()), now)
    return BatchResult(outcomes, broadcast)


def _repeated(wanted: SayCustom, known: MessageRow, command: Command, broadcast: Broadcast) -> Outcome:
    said = (known.body, known.metadata, known.system)
    if known.deleted_at is None and known.edited_at is None and said != (wanted.body, wanted.metadata, wanted.system):
        return ClientMessageIdReusedError()
    return republish(known, command, broadcast)
