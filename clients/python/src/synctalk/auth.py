"""Ways to sign in, and the tokens of a session, renewed in time.

A refresh token is spent by its use. One refresh is under way at a time, and one whose answer was lost is repeated with
the same token, which the server takes for a while.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from synctalk.errors import CallError, SessionEndedError
from synctalk.http import Http
from synctalk.models import Tokens
from synctalk.timing import retrying

OnTokens = Callable[[Tokens], Awaitable[None]]

MARGIN_S = 30.0
"""A token with less left than this is renewed before it is used."""

REFRESH_FOR_S = 25.0
"""The server answers a repeated refresh for 30 s."""


class TokenSource(ABC):
    """Where the token of each call comes from."""

    @abstractmethod
    async def token(self, *, refused: str | None = None, margin_s: float = MARGIN_S) -> str:
        """Return a token that is not the `refused` one and lasts for `margin_s`. Raises SessionEndedError."""


class FixedToken(TokenSource):
    """A token that does not expire: a bot's, or a server key."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, *, refused: str | None = None, margin_s: float = MARGIN_S) -> str:
        if refused == self._token:
            raise SessionEndedError("refused")
        return self._token


class SessionTokens(TokenSource):
    """The two tokens of a session; `on_tokens` gets each new pair before it is used."""

    def __init__(self, http: Http, tokens: Tokens, on_tokens: OnTokens | None = None) -> None:
        self._http = http
        self._on_tokens = on_tokens
        self._lock = asyncio.Lock()
        self._ended: str | None = None
        self._take(tokens)

    async def token(self, *, refused: str | None = None, margin_s: float = MARGIN_S) -> str:
        async with self._lock:
            if self._ended is not None:
                raise SessionEndedError(self._ended)
            access = self.tokens.access_token
            left_s = self._expires_at - asyncio.get_running_loop().time()
            # A margin that no token can have would renew at each call.
            if access == refused or left_s < min(margin_s, self.tokens.expires_in / 2):
                await self._refresh()
            return self.tokens.access_token

    async def _refresh(self) -> None:
        try:
            tokens = await retrying(
                lambda: refreshed(self._http, self.tokens.refresh_token), give_up_after_s=REFRESH_FOR_S
            )
        except CallError as error:
            if error.code != "invalid_refresh_token":
                raise
            self._ended = "refused"
            raise SessionEndedError(self._ended) from error
        if self._on_tokens is not None:
            await self._on_tokens(tokens)
        self._take(tokens)

    def _take(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._expires_at = asyncio.get_running_loop().time() + tokens.expires_in


async def refreshed(http: Http, refresh_token: str) -> Tokens:
    answer = await http.call("POST", "/v1/auth/refresh", json={"refresh_token": refresh_token})
    return Tokens.model_validate(answer)


class SignIn(ABC):
    """A way to sign in."""

    @abstractmethod
    async def begin(self, http: Http) -> Tokens | str:
        """Return the tokens of a new session, or a token that does not expire. Raises CallError, NoAnswerError."""


@dataclass(frozen=True, slots=True)
class Bot(SignIn):
    """A bot, by its token (`stb_…`)."""

    token: str

    async def begin(self, http: Http) -> str:
        return self.token


@dataclass(frozen=True, slots=True)
class Password(SignIn):
    username: str
    password: str
    device_name: str | None = None

    async def begin(self, http: Http) -> Tokens:
        body = {"username": self.username, "password": self.password, "device_name": self.device_name}
        return await _tokens(http, "/v1/auth/login", body)


@dataclass(frozen=True, slots=True)
class Exchange(SignIn):
    """A JWT of an issuer that the server trusts: the login of the app that the chat is in."""

    token: str
    device_name: str | None = None

    async def begin(self, http: Http) -> Tokens:
        return await _tokens(http, "/v1/auth/exchange", {"token": self.token, "device_name": self.device_name})


@dataclass(frozen=True, slots=True)
class Guest(SignIn):
    display_name: str | None = None

    async def begin(self, http: Http) -> Tokens:
        return await _tokens(http, "/v1/auth/guest", {"display_name": self.display_name})


@dataclass(frozen=True, slots=True)
class Resume(SignIn):
    """A session from before, by its refresh token, which is spent by this: keep what `on_tokens` gives."""

    refresh_token: str

    async def begin(self, http: Http) -> Tokens:
        return await retrying(lambda: refreshed(http, self.refresh_token), give_up_after_s=REFRESH_FOR_S)


async def register(http: Http, username: str, password: str, display_name: str | None = None) -> Tokens:
    body = {"username": username, "password": password, "display_name": display_name}
    return await _tokens(http, "/v1/auth/register", body)


async def _tokens(http: Http, path: str, body: dict[str, str | None]) -> Tokens:
    given = {name: value for name, value in body.items() if value is not None}
    return Tokens.model_validate(await http.call("POST", path, json=given))
