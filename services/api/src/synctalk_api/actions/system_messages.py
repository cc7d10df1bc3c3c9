"""Messages by which a group itself says what happened in it, where it has them.

Each comes right after the change that it is about, with the next numbers, in the same transaction.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from synctalk_contracts import sockets
from synctalk_runtime.ids import new_id

from synctalk_api import rules
from synctalk_api.clients.fanout import Broadcast
from synctalk_api.store.messages import MessageRow


def system_message(
    broadcast: Broadcast,
    conversation_id: str,
    user_id: str,
    what: Mapping[str, Any],
    *,
    seq: int,
    change_seq: int,
    now: datetime,
) -> MessageRow:
    """Return the message that says what the user did, and add it to the broadcast."""
    row = new_row(conversation_id, user_id, what, seq=seq, change_seq=change_seq, now=now)
    encoded = orjson.Fragment(row.to_json())
    broadcast.to_room(conversation_id, sockets.MessageNewToClient, user_id, encoded, change_seq=change_seq)
    return row


def new_row(
    conversation_id: str,
    sender_id: str,
    what: Mapping[str, Any],
    *,
    seq: int,
    change_seq: int,
    now: datetime,
    client_message_id: str | None = None,
    body: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> MessageRow:
    """Return a new message that says this; the group itself has no name for it, and its own words."""
    message_id = new_id()
    return MessageRow(
        conversation_id=conversation_id,
        seq=seq,
        id=message_id,
        change_seq=change_seq,
        sender_id=sender_id,
        client_message_id=client_message_id or f"sys_{message_id}",
        body=rules.system_body(what) if body is None else body,
        reply_to=None,
        mentions=[],
        mention_all=False,
        created_at=now,
        edited_at=None,
        deleted_at=None,
        pinned_at=None,
        pinned_by=None,
        metadata=metadata or {},
        forwarded_from=None,
        system=dict(what),
        reactions={},
        reaction_counts={},
    )
