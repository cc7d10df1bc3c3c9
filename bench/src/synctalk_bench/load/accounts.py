"""The users of the running system: registered once, remembered in the stack's data folder, signed in again next time.

Each account's password is derived from a random seed in that file. A token that is still good is used as it is, an
older one is refreshed; only where that fails does a password cost the server a hash.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from synctalk_bench.load.crew import LoadError
from synctalk_bench.load.settings import Settings

CONCURRENT_CALLS = 8
ATTEMPTS = 8
MAX_WAIT_S = 10.0
MIN_TOKEN_LIFE_S = 600
"""A token must outlive the run."""


@dataclass
class Account:
    username: str
    user_id: str = ""
    access_token: str = ""
    refresh_token: str = ""
    expires_at: float = 0.0


@dataclass
class Book:
    """What is remembered of one system."""

    seed: str = field(default_factory=lambda: secrets.token_hex(16))
    accounts: list[Account] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    pairs: list[str] = field(default_factory=list)
    room: str = ""

    @classmethod
    def read(cls, path: Path) -> "Book":
        try:
            found = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return cls()
        accounts = [Account(**account) for account in found["accounts"]]
        return cls(found["seed"], accounts, found["groups"], found.get("pairs", []), found["room"])

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(orjson.dumps(asdict(self)))

    def password(self, account: Account) -> str:
        return hashlib.sha256(f"{self.seed}:{account.username}".encode()).hexdigest()


class RefusedCallError(LoadError):
    def __init__(self, what: str, status: int, body: Any) -> None:
        super().__init__(f"{what} was answered with {status}: {body}")
        self.status = status


class Accounts:
    def __init__(self, url: str, path: Path, say: Callable[[str], None]) -> None:
        self._url = url
        self._path = path
        self._say = say
        self._book = Book.read(path)
        self._stale = False
        self._done = 0

    async def prepare(self, settings: Settings) -> Book:
        """Everybody with a fresh token, in their groups, in their pairs and in the room."""
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            try:
                await self._sign_in(http, settings.users)
                await self._gather(http, settings)
            finally:
                self._book.write(self._path)
        return self._book

    # ── users ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _sign_in(self, http: aiohttp.ClientSession, users: int) -> None:
        book = self._book
        tag = book.seed[:8]
        book.accounts += [Account(f"bench-{tag}-{n:04d}") for n in range(len(book.accounts), users)]
        self._stale = not await self._is_known(http, book.accounts[0])
        self._say(f"Signing in {users} users (the first time they are registered, which takes a while) …")
        gate = asyncio.Semaphore(CONCURRENT_CALLS)

        async def one(account: Account) -> None:
            async with gate:
                await self._renew(http, account)
            self._done += 1
            if self._done % 250 == 0:
                self._say(f"  {self._done} of {users}")

        await asyncio.gather(*map(one, book.accounts[:users]))

    async def _is_known(self, http: aiohttp.ClientSession, account: Account) -> bool:
        """Whether the system is still the one that these tokens are from."""
        headers = {"Authorization": f"Bearer {account.access_token}"}
        try:
            async with http.get(f"{self._url}/v1/users/me", headers=headers) as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError as error:
            raise LoadError(f"{self._url} does not answer: {error}") from error

    async def _renew(self, http: aiohttp.ClientSession, account: Account) -> None:
        if not self._stale and account.expires_at > time.time() + MIN_TOKEN_LIFE_S:
            return
        credentials = {"username": account.username, "password": self._book.password(account)}
        ways = (
            ("/v1/auth/refresh", {"refresh_token": account.refresh_token}, bool(account.refresh_token)),
            ("/v1/auth/login", credentials, bool(account.user_id)),
            ("/v1/auth/register", credentials, True),
            ("/v1/auth/login", credentials, True),  # registered, but the answer was lost
        )
        for path, body, possible in ways:
            if not possible:
                continue
            try:
                tokens = await self._call(http, path, body)
            except RefusedCallError as error:
                if error.status not in (401, 409):
                    raise
                continue
            self._remember(account, tokens)
            return
        raise LoadError(f"{account.username} can neither sign in nor register.")

    def _remember(self, account: Account, tokens: dict[str, Any]) -> None:
        if account.user_id != tokens["user"]["id"]:
            self._book.groups, self._book.pairs, self._book.room = (
                [],
                [],
                "",
            )  # another system, or users who were in none of these
        account.user_id = tokens["user"]["id"]
        account.access_token = tokens["access_token"]
        account.refresh_token = tokens["refresh_token"]
        account.expires_at = time.time() + tokens["expires_in"]

    # ── conversations ────────────────────────────────────────────────────────────────────────────────────────────

    async def _gather(self, http: aiohttp.ClientSession, settings: Settings) -> None:
        accounts, book, size = self._book.accounts, self._book, settings.group_size
        for number in range(len(book.groups), settings.all_groups):
            members = accounts[number * size : (number + 1) * size]
            book.groups.append(await self._group(http, f"Bench group {number + 1}", members))
        for number in range(len(book.pairs), settings.pairs):
            first, second = accounts[number * 2 : number * 2 + 2]
            body = {"type": "direct", "member_ids": [second.user_id]}
            conversation = await self._call(http, "/v1/conversations", body, first.access_token)
            book.pairs.append(str(conversation["id"]))
        if not book.room:
            self._say(f"Opening a room of {settings.room_size} …")
            book.room = await self._group(http, "Bench room", accounts[: settings.room_size])

    async def _group(self, http: aiohttp.ClientSession, title: str, members: list[Account]) -> str:
        first, *others = members
        body = {"type": "group", "title": title, "member_ids": [account.user_id for account in others]}
        conversation = await self._call(http, "/v1/conversations", body, first.access_token)
        return str(conversation["id"])

    async def _call(
        self, http: aiohttp.ClientSession, path: str, body: dict[str, Any], token: str | None = None
    ) -> dict[str, Any]:
        """POST; a server that is busy is asked again when it says so."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        last_word = "nothing"
        for attempt in range(ATTEMPTS):
            wait_s = 0.2 * 2**attempt
            try:
                async with http.post(self._url + path, json=body, headers=headers) as answer:
                    content = await answer.json()
                    if answer.status < 400:
                        return dict(content)
                    if answer.status not in (429, 503):
                        raise RefusedCallError(path, answer.status, content)
                    wait_s = max(wait_s, float(content["error"].get("retry_after", 0)))
                    last_word = str(content["error"]["code"])
            except (aiohttp.ClientConnectionError, TimeoutError) as error:
                last_word = repr(error)
            await asyncio.sleep(min(wait_s, MAX_WAIT_S))
        raise LoadError(f"{path} did not work in {ATTEMPTS} attempts: {last_word}")
