"""The texts of messages that are being streamed, in Redis: one text and one state for each, in the slot of its shard.

Nothing of an append is written to PostgreSQL. The clock is that of Redis.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal
from zlib import crc32

from synctalk_contracts.text import MAX_BODY_CHARS
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis_pipeline import PipelineScript, RedisPipeline

SHARDS = 16
"""Of all streams, by message: the keys of a shard lie in one slot of a cluster."""
KEEP_S = 86_400
"""Far longer than a stream that nobody ends: some process does, if there is one."""
KNOWN_ENDED_S = 300
DELTA_GAP_MS = 100
CLAIM_MS = 5_000
SILENT_AT_ONCE = 20

Outcome = Literal["done", "unknown", "forbidden", "ended", "gap", "full"]


@dataclass(frozen=True, slots=True)
class Stream:
    """A message while it is streamed, and the text that it has."""

    message_id: str
    conversation_id: str
    user_id: str
    client_message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Append:
    message_id: str
    conversation_id: str
    user_id: str
    at: int
    text: str
    """Empty: nothing is appended, but what has not been sent to readers is taken."""
    connection_id: str | None = None
    """The socket it came from."""


@dataclass(frozen=True, slots=True)
class Delta:
    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Appended:
    outcome: Outcome
    at: int
    """How far the text reaches, in code points."""
    is_left: bool = False
    """Something is still to be sent to readers, in `DELTA_GAP_MS` at the latest."""
    delta: Delta | None = None


class StreamTexts:
    """All raise UnavailableError: Redis is away, or refuses."""

    def __init__(self, redis: RedisPipeline) -> None:
        self._redis = redis
        self._reserve = _script(redis, "reserve")
        self._open = _script(redis, "open")
        self._append = _script(redis, "append")
        self._end = _script(redis, "end")
        self._close = _script(redis, "close")
        self._silent = _script(redis, "silent")

    async def reserve(self, user_id: str, message_id: str, places: int) -> bool:
        """Take one of the writer's places; return whether there was one."""
        taken = await self._reserve([_of_writer(user_id)], [message_id, places, KEEP_S])
        if not taken:
            return True
        over = [each for each in map(bytes.decode, taken) if not await self._is_open(each)]
        if not over:
            return False
        await self._redis.call("ZREM", _of_writer(user_id), *over)
        return not await self._reserve([_of_writer(user_id)], [message_id, places, KEEP_S])

    async def _is_open(self, message_id: str) -> bool:
        return bool(await self._redis.call("EXISTS", _keys(message_id)[1]))

    async def open(self, stream: Stream) -> bool:
        """Begin a stream, or put back what Redis has lost of it; return whether that was needed."""
        args = [stream.message_id, stream.conversation_id, stream.user_id, stream.client_message_id]
        return bool(await self._open(_keys(stream.message_id), [*args, stream.text, len(stream.text), KEEP_S]))

    async def append(self, appends: Sequence[Append]) -> list[Appended | UnavailableError]:
        """Append, in this sequence; each has its outcome."""
        return [_appended(answer) for answer in await self._append.each([_call(each) for each in appends])]

    async def end(self, message_id: str) -> tuple[str, str] | None:
        """Return the whole text and the `client_message_id`, and append nothing more; None: it is over already."""
        found = await self._end(_keys(message_id), [message_id])
        return (found[0].decode(), found[1].decode()) if found else None

    async def close(self, message_id: str, user_id: str) -> None:
        """Forget a stream that is over."""
        await self._close(_keys(message_id), [message_id, KNOWN_ENDED_S])
        await self._redis.call("ZREM", _of_writer(user_id), message_id)

    async def texts(self, message_ids: Sequence[str]) -> dict[str, str]:
        """Return the texts so far of those that are streamed."""
        answers = await self._redis.call_all([("GET", _keys(each)[1]) for each in message_ids])
        _raise_first(answers)
        found = zip(message_ids, answers, strict=True)
        return {message_id: text.decode() for message_id, text in found if text is not None}

    async def silent(self, silence_s: float) -> list[Stream]:
        """Claim some streams whose writers have been silent for so long."""
        args = [round(silence_s * 1000), CLAIM_MS, SILENT_AT_ONCE]
        answers = await self._silent.each([([_active(shard)], args) for shard in range(SHARDS)])
        _raise_first(answers)
        found = [await self._stream(message_id.decode()) for some in answers for message_id in some]
        return [stream for stream in found if stream is not None]

    async def _stream(self, message_id: str) -> Stream | None:
        state, text, active = _keys(message_id)
        fields = await self._redis.call("HMGET", state, "conversation", "user", "name")
        found = await self._redis.call("GET", text)
        if found is None or fields[0] is None:
            await self._redis.call("ZREM", active, message_id)
            return None
        conversation_id, user_id, name = (field.decode() for field in fields)
        return Stream(message_id, conversation_id, user_id, name, found.decode())


def _script(redis: RedisPipeline, name: str) -> PipelineScript:
    return PipelineScript(redis, files("synctalk_api.store").joinpath(f"stream_{name}.lua"))


def _active(shard: int) -> str:
    return f"stream:{{{shard}}}"


def _keys(message_id: str) -> list[str]:
    """Return the keys of a message: state, text, streams of the shard."""
    active = _active(crc32(message_id.encode()) % SHARDS)
    return [f"{active}:{message_id}", f"{active}:{message_id}:text", active]


def _of_writer(user_id: str) -> str:
    return f"stream:of:{user_id}"


def _call(append: Append) -> tuple[list[str], list[Any]]:
    args = [append.message_id, append.conversation_id, append.user_id, append.at, len(append.text), append.text]
    return _keys(append.message_id), [*args, MAX_BODY_CHARS, DELTA_GAP_MS, KEEP_S]


def _appended(answer: Any) -> Appended | UnavailableError:
    if isinstance(answer, UnavailableError):
        return answer
    if isinstance(answer, BaseException):
        raise answer
    outcome, at, *rest = answer
    delta = Delta(rest[1], rest[2].decode()) if len(rest) > 1 else None
    return Appended(outcome.decode(), at, bool(rest and rest[0]), delta)


def _raise_first(answers: Sequence[Any]) -> None:
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
