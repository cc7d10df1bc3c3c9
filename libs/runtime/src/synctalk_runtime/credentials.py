"""Server keys, which a host app's backend calls with, the users for whom it acts, and the tokens of bots.

Auth knows them by their hashes. Its answers are kept for a second, so a key that was revoked is refused within one;
while auth does not answer, what is known stays good for a minute, and what is not is `unavailable`.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

from pydantic import ValidationError
from synctalk_contracts.internal import ActingQuestion, ActingUser, KeyQuestion, KnownBot, KnownKey
from synctalk_contracts.models import Scope

from synctalk_runtime.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TokenExpiredError,
    UnauthenticatedError,
    UnavailableError,
)
from synctalk_runtime.internal import InternalClient

KEY_PREFIX = "stk_"
BOT_PREFIX = "stb_"
USER_HEADER = "X-SyncTalk-User"
MAX_KEY_CHARS = 128
MAX_NAME_CHARS = 4096
FRESH_S = 1.0
KEPT_S = 60.0
MAX_KEPT = 10_000

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class ServerKey:
    """What a server key may do."""

    id: str
    scopes: frozenset[Scope]
    expires_at: float | None
    """Unix time, seconds; None: it does not end."""

    def require(self, scope: Scope) -> None:
        """Raise ForbiddenError, which names the scope, when the key lacks it."""
        if scope not in self.scopes:
            raise ForbiddenError(f"The server key lacks the scope {scope.value}.", details={"scope": scope.value})


class Credentials(Protocol):
    """What a service knows of server keys."""

    acts: ClassVar[bool]
    """Whether calls may be made for a user here."""

    async def key_of(self, key_hash: str) -> ServerKey | None:
        """Return the key with that hash; None: there is none. Raises UnavailableError."""
        ...

    async def bot_of(self, token_hash: str) -> KnownBot | None:
        """Return the bot with that token; None: there is none. Raises UnavailableError."""
        ...

    async def user_of(self, name: str) -> ActingUser | None:
        """Return an active user, by id or `external:ID`; None: there is none. Raises UnavailableError."""
        ...


def hash_of(key: str) -> str:
    """Return what is kept of a key. It is random, so a plain hash does."""
    return hashlib.sha256(key.encode()).hexdigest()


async def verified_key(credentials: Credentials, key: str) -> ServerKey:
    """Return the key's rights. Raises UnauthenticatedError, TokenExpiredError, UnavailableError."""
    found = await credentials.key_of(hash_of(key)) if len(key) <= MAX_KEY_CHARS else None
    if found is None:
        raise UnauthenticatedError("The server key is not valid.")
    if found.expires_at is not None and found.expires_at <= time.time():
        raise TokenExpiredError("The server key has expired.")
    return found


async def acted_for(credentials: Credentials, key: ServerKey, name: str | None) -> ActingUser:
    """Return the user for whom a call is made. Raises ForbiddenError, InvalidError, UnavailableError."""
    if not credentials.acts:
        raise ForbiddenError("A server key can't make this call.")
    if name is None:
        raise InvalidError.of(USER_HEADER, "needed with a server key")
    key.require(Scope.ACT)
    user = await credentials.user_of(name) if len(name) <= MAX_NAME_CHARS else None
    if user is None:
        raise InvalidError.of(USER_HEADER, "must be an active user")
    return user


class RemoteCredentials:
    """Asks auth."""

    acts: ClassVar[bool] = True

    def __init__(self, auth: InternalClient) -> None:
        self._auth = auth
        self._keys = Recent(self._ask_key)
        self._bots = Recent(self._ask_bot)
        self._users = Recent(self._ask_user)
        self.key_of = self._keys.get
        self.bot_of = self._bots.get
        self.user_of = self._users.get

    async def _ask_key(self, key_hash: str) -> ServerKey | None:
        try:
            answer = await self._auth.post("/internal/credentials/key", KeyQuestion(hash=key_hash).model_dump())
            known = KnownKey.model_validate(answer, extra="ignore")
        except NotFoundError:
            return None
        except ValidationError as error:
            raise UnavailableError from error
        scopes = frozenset(Scope(scope) for scope in known.scopes if scope in set(Scope))
        return ServerKey(known.id, scopes, known.expires_at.timestamp() if known.expires_at is not None else None)

    async def _ask_bot(self, token_hash: str) -> KnownBot | None:
        try:
            answer = await self._auth.post("/internal/credentials/bot", KeyQuestion(hash=token_hash).model_dump())
            return KnownBot.model_validate(answer, extra="ignore")
        except NotFoundError:
            return None
        except ValidationError as error:
            raise UnavailableError from error

    async def _ask_user(self, name: str) -> ActingUser | None:
        try:
            answer = await self._auth.post("/internal/credentials/user", ActingQuestion(user=name).model_dump())
            return ActingUser.model_validate(answer, extra="ignore")
        except NotFoundError:
            return None
        except ValidationError as error:
            raise UnavailableError from error


@dataclass(slots=True)
class _Answer(Generic[V]):
    value: V | None
    asked_at: float


class Recent(Generic[V]):
    """Answers to a question by its subject, each asked for once at a time and kept for a second, or a minute when
    there is no newer one to be had. At most 10,000 are kept, the ones used last."""

    def __init__(self, ask: Callable[[str], Awaitable[V | None]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._answers: OrderedDict[str, _Answer[V]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[V | None]] = {}

    async def get(self, subject: str) -> V | None:
        """Return the answer; None: there is no such thing. Raises UnavailableError."""
        known = self._answers.get(subject)
        if known is not None and self._clock() - known.asked_at < FRESH_S:
            return known.value
        task = self._asking.get(subject)
        if task is None:
            task = self._asking[subject] = asyncio.create_task(self._refresh(subject), name="credentials")
            task.add_done_callback(lambda done: self._forget(subject, done))
        return await asyncio.shield(task)

    async def _refresh(self, subject: str) -> V | None:
        asked_at = self._clock()
        try:
            value = await self._ask(subject)
        except UnavailableError:
            known = self._answers.get(subject)
            if known is None or known.value is None or self._clock() - known.asked_at > KEPT_S:
                raise
            return known.value
        self._answers[subject] = _Answer(value, asked_at)
        self._answers.move_to_end(subject)
        if len(self._answers) > MAX_KEPT:
            self._answers.popitem(last=False)
        return value

    def _forget(self, subject: str, done: "asyncio.Task[V | None]") -> None:
        self._asking.pop(subject, None)
        if not done.cancelled():
            done.exception()  # who asked has got it, unless they are gone
