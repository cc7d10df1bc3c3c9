"""What is forwarded: the text of a message that the sender can read, wherever it lies."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synctalk_contracts.commands import SendMessage
from synctalk_contracts.models import ForwardedFrom
from synctalk_runtime.errors import AppError, InvalidError, NotFoundError, UnavailableError

from synctalk_api import rules
from synctalk_api.actions.access import require_reader
from synctalk_api.store import conversations, messages
from synctalk_api.store.messages import MessageRow
from synctalk_api.store.stores import Stores

WAIT_MAX_S = 0.5
"""The source may lie in a store that is slow or away: messages of other conversations are written in the same batch."""


@dataclass(frozen=True, slots=True)
class Source:
    body: str
    files: list[dict[str, Any]]
    """Each a `File`."""
    shown: ForwardedFrom
    """What every reader gets to know of it."""


async def sources_of(stores: Stores, payloads: Sequence[SendMessage]) -> Mapping[int, Source | AppError]:
    """Return what is forwarded, by position, or why it can't be; messages that forward nothing are left out."""
    forwards = [n for n, payload in enumerate(payloads) if payload.forward is not None]
    found = await asyncio.gather(*(source_of(stores, payloads[n]) for n in forwards))
    return dict(zip(forwards, found, strict=True))


async def source_of(stores: Stores, payload: SendMessage) -> Source | AppError:
    """Return what the message forwards, or why it can't be."""
    assert payload.forward is not None
    conversation_id, message_id = payload.forward.conversation_id, payload.forward.message_id
    try:
        async with asyncio.timeout(WAIT_MAX_S), stores.reading(conversation_id) as conn:
            begins_after = await require_reader(conn, conversation_id, payload.user_id)
            found = await messages.by_ids(conn, [(conversation_id, message_id)])
            public = await conversations.is_public(conn, conversation_id)
    except NotFoundError:
        found, public, begins_after = {}, False, 0
    except AppError as error:
        return error
    except TimeoutError:
        return UnavailableError()
    row = found.get((conversation_id, message_id))
    if (
        row is None
        or row.seq <= begins_after
        or not rules.may_forward(
            deleted=row.deleted_at is not None, system=row.system is not None, streaming=row.streaming
        )
    ):
        return InvalidError.of("forward", "must name a message that you can read and that was not deleted")
    return Source(row.body, row.files, _shown(row, payload.conversation_id, public=public))


def _shown(row: MessageRow, into: str, *, public: bool) -> ForwardedFrom:
    if rules.shows_source(row.conversation_id, into, public=public):
        return ForwardedFrom(conversation_id=row.conversation_id, message_id=row.id, sender_id=row.sender_id)
    return ForwardedFrom(conversation_id=None, message_id=None, sender_id=None)
