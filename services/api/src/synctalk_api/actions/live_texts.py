"""The texts so far of streamed messages, for all who read messages while they are written.

A message that is streamed has in the database what it began with; whoever reads it gets the text from Redis. Where no
message is streamed nothing is asked. Each process also remembers the texts that it has appended to: they are what a
Redis that has lost its memory gets back, and what readers get while it is away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog
from synctalk_contracts.models import Conversation, Message
from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import UnavailableError

from synctalk_api.actions.commands import EndedStream
from synctalk_api.store.messages import MessageRow
from synctalk_api.store.streams import Append, Stream, StreamTexts

log = structlog.get_logger()

K = TypeVar("K")

STOP_S = 2.0


class LiveTexts:
    def __init__(self, texts: StreamTexts) -> None:
        self._texts = texts
        self._closing = Tasks()
        self.copies: dict[str, Stream] = {}
        """By message: what this process knows of the streams it appends to."""

    async def start(self) -> None:
        """Nothing begins before the first stream."""

    async def stop(self) -> None:
        await self._closing.stop(STOP_S)

    async def in_messages(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages, those that are streamed with their text so far."""
        texts = await self._of([message.id for message in messages if message.streaming])
        if not texts:
            return list(messages)
        return [
            message.model_copy(update={"body": texts[message.id]}) if message.id in texts else message
            for message in messages
        ]

    async def in_list(self, rows: Sequence[MessageRow]) -> list[MessageRow]:
        """Return the same with rows in a list."""
        return list((await self.in_rows(dict(enumerate(rows)))).values())

    async def in_rows(self, rows: Mapping[K, MessageRow]) -> dict[K, MessageRow]:
        """Return the same with rows."""
        texts = await self._of([row.id for row in rows.values() if row.streaming])
        if not texts:
            return dict(rows)
        return {
            key: replace(row, body=texts[row.id]) if row.streaming and row.id in texts else row
            for key, row in rows.items()
        }

    async def in_conversations(self, views: Sequence[Conversation]) -> list[Conversation]:
        """Return the same with the latest messages of conversations."""
        texts = await self._of(
            [view.last_message.id for view in views if view.last_message and view.last_message.streaming]
        )
        if not texts:
            return list(views)
        return [
            view.model_copy(update={"last_message": last.model_copy(update={"body": texts[last.id]})})
            if (last := view.last_message) is not None and last.id in texts
            else view
            for view in views
        ]

    async def _of(self, message_ids: Sequence[str]) -> dict[str, str]:
        if not message_ids:
            return {}
        known = {each: self.copies[each].text for each in message_ids if each in self.copies}
        try:
            return known | await self._texts.texts(message_ids)
        except UnavailableError:
            log.warning("live_texts.unavailable", messages=len(message_ids))
            return known

    def note(self, append: Append, reached: int) -> None:
        """Note what was appended; a copy that does not end where the text does is given up."""
        copy = self.copies.get(append.message_id)
        if copy is None:
            return
        text = copy.text + append.text[max(0, len(copy.text) - append.at) :]
        if append.at <= len(copy.text) and len(text) == reached:
            self.copies[append.message_id] = replace(copy, text=text)
        elif len(copy.text) < reached:
            del self.copies[append.message_id]

    def end(self, ended: Sequence[EndedStream]) -> None:
        """Forget streams that are over in the database; what cannot be forgotten now, its silence ends."""
        for stream in ended:
            self.copies.pop(stream.message_id, None)
            self._closing.spawn("stream-close", self._close(stream))

    async def _close(self, stream: EndedStream) -> None:
        try:
            await self._texts.close(stream.message_id, stream.user_id)
        except UnavailableError:
            log.warning("live_texts.not_closed", message_id=stream.message_id)
