"""The ends of streams whose writers have fallen silent: the message stays with the text so far, as interrupted.

Every process takes part, and one at a time ends a stream, so it does not matter which process has died. What Redis has
lost of a stream is put back by the process that appended last. A stream that is in the database alone, since nobody
knows more of it, ends with what it began with.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog
from prometheus_client import Counter
from synctalk_contracts.text import shows_something
from synctalk_runtime.background import Loop
from synctalk_runtime.errors import AppError, ForbiddenError, NotFoundError, UnavailableError
from synctalk_runtime.ids import utc_now

from synctalk_api.actions.changes import interrupt
from synctalk_api.actions.commands import Command, EndedStream, FinishStream
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.streams import Review
from synctalk_api.clients.fanout import Fanout
from synctalk_api.store import streaming
from synctalk_api.store.stores import Store, Stores
from synctalk_api.store.streams import Stream, StreamTexts

log = structlog.get_logger()

INTERRUPTED = Counter("api_streams_interrupted_total", "Streams that ended since their writers were silent.")

MAX_STEP_S = 2.0
STEPS_TO_LOST = 5
"""The database is asked for lost ones every fifth time."""


class StreamEnds:
    def __init__(
        self,
        stores: Stores,
        texts: StreamTexts,
        live: LiveTexts,
        fanout: Fanout,
        silence_s: float,
        review: Review | None,
    ) -> None:
        self._stores = stores
        self._texts = texts
        self._live = live
        self._fanout = fanout
        self._silence_s = silence_s
        self._review = review
        self._steps = 0
        self._lost_at: dict[str, float] = {}
        """By message that Redis does not have: since when, in monotonic seconds."""
        self._loop = Loop("stream-ends", self._step, min(MAX_STEP_S, silence_s / 10))
        self.start = self._loop.start
        self.stop = self._loop.stop

    async def _step(self) -> None:
        await self._put_back()
        for stream in await self._texts.silent(self._silence_s):
            await self._interrupt(stream)
        if self._steps % STEPS_TO_LOST == 0:
            answers = await self._stores.each(self._stores.all, self._older)
            await self._interrupt_lost([stream for some in answers.values for stream in some])
        self._steps += 1

    async def _older(self, store: Store) -> list[Stream]:
        async with store.postgres.connection() as conn:
            return await streaming.older_than(conn, utc_now() - timedelta(seconds=self._silence_s))

    async def _put_back(self) -> None:
        """Give Redis back what it has lost of the streams that this process appends to."""
        if not self._live.copies:
            return
        texts = await self._texts.texts(list(self._live.copies))
        for message_id, copy in list(self._live.copies.items()):
            if message_id in texts and len(texts[message_id]) >= len(copy.text):
                continue
            if await self._texts.open(copy):
                log.warning("stream_ends.put_back", message_id=message_id)
            else:  # another process has ended it
                self._live.copies.pop(message_id, None)

    async def _interrupt_lost(self, found: Sequence[Stream]) -> None:
        """End those that Redis has not had for a while: nobody puts them back."""
        texts = await self._texts.texts([stream.message_id for stream in found])
        now = asyncio.get_running_loop().time()
        lost = [stream for stream in found if stream.message_id not in texts]
        self._lost_at = {stream.message_id: self._lost_at.get(stream.message_id, now) for stream in lost}
        for stream in lost:
            if now - self._lost_at[stream.message_id] > self._silence_s:
                await self._interrupt(stream)

    async def _interrupt(self, stream: Stream) -> None:
        """End a stream, as the message hook lets it pass; what cannot be ended now is tried again."""
        end = FinishStream(
            conversation_id=stream.conversation_id,
            user_id=stream.user_id,
            message_id=stream.message_id,
            client_message_id=stream.client_message_id,
            body=stream.text,
            interrupted=True,
        )
        try:
            end = await self._reviewed(end)
            async with self._stores.changing(stream.conversation_id) as conn:
                broadcast = await interrupt(conn, end)
        except NotFoundError:  # its start was never written
            log.info("stream_ends.unknown", message_id=stream.message_id)
        except UnavailableError:
            log.warning("stream_ends.unavailable", message_id=stream.message_id)
            return
        else:
            self._fanout.publish(broadcast)
            INTERRUPTED.inc()
        self._live.end([EndedStream(stream.message_id, stream.user_id)])

    async def _reviewed(self, end: FinishStream) -> FinishStream:
        """Return the end as the hook lets it pass: without a text, so that it is deleted, where it refuses.

        Raises UnavailableError: it did not answer, and is not to be passed over.
        """
        if self._review is None or not shows_something(end.body):
            return end
        reviewed = await self._review(Command(end))
        if isinstance(reviewed, ForbiddenError):
            return end.model_copy(update={"body": ""})
        if isinstance(reviewed, AppError):
            raise reviewed
        assert isinstance(reviewed.payload, FinishStream)
        return reviewed.payload
