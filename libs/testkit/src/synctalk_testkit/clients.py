"""Users, as tests play them: they register, call the REST interface, and hold stock Socket.IO connections.

Everything goes through the public interface, by stock clients. A `LiveSocket` keeps every event it received, in order,
and holds each against its contract.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import socketio
from pydantic import ValidationError
from synctalk_contracts.acks import ACKS, RefusedAck
from synctalk_contracts.sockets import TO_CLIENT

from synctalk_testkit.http import Response, request

REQUEST_TIMEOUT_S = 15
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Received:
    event: str
    payload: Any
    at: float
    """Monotonic clock, seconds."""


class RefusedError(Exception):
    """The server refused the connection; `body` is the error body it gave."""

    def __init__(self, body: Any) -> None:
        super().__init__(str(body))
        self.body = body


@dataclass
class LiveSocket:
    """One stock Socket.IO connection and all that it received."""

    url: str
    token: str
    transports: tuple[str, ...] = ("websocket",)
    reconnection: bool = True
    checks_acks: bool = True
    """Whether an ack that is not as its contract says is a violation."""
    events: list[Received] = field(default_factory=list)
    connects: int = 0
    disconnects: list[Any] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    """Events that were not as the contract says; `close` and `wait_for` fail over them."""

    def __post_init__(self) -> None:
        self._arrived = asyncio.Condition()
        self.client = socketio.AsyncClient(
            reconnection=self.reconnection, reconnection_delay=0.5, reconnection_delay_max=2
        )
        self.client.on("*", self._on_any)
        self.client.on("connect", self._on_connect)
        self.client.on("disconnect", self._on_disconnect)
        self.client.on("connect_error", self._on_refused)
        self._refusal: Any = None

    async def connect(self, *, ready: bool = True, timeout: float = 10) -> "LiveSocket":
        """Connect, and wait for `ready`; RefusedError when the server says no."""
        try:
            await self.client.connect(
                self.url, auth=lambda: {"token": self.token}, transports=list(self.transports), wait_timeout=timeout
            )
        except socketio.exceptions.ConnectionError as error:
            raise RefusedError(self._refusal or str(error)) from error
        if ready:
            await self.wait_for("ready", timeout=timeout)
        return self

    async def call(self, event: str, payload: Any = None, timeout: float = 10) -> Any:
        """Send the event and return its ack."""
        ack = await self.client.call(event, payload, timeout=timeout)
        if self.checks_acks and (violation := ack_violation(event, ack)):
            self.violations.append(violation)
        return ack

    async def emit(self, event: str, payload: Any = None) -> None:
        await self.client.emit(event, payload)

    async def say(self, conversation_id: str, body: str, **fields: Any) -> dict[str, Any]:
        """`message:send` with an id of its own; the message, once it is acked."""
        payload = {"conversation_id": conversation_id, "client_message_id": new_name(), "body": body} | fields
        ack = await self.call("message:send", payload)
        assert ack["ok"], ack
        message: dict[str, Any] = ack["message"]
        return message

    async def done(self, event: str, payload: Any) -> Any:
        """Send the event; its ack, which must say ok."""
        ack = await self.call(event, payload)
        assert ack["ok"], ack
        return ack

    async def refusal(self, event: str, payload: Any = None) -> dict[str, Any]:
        """Send the event; the error in its ack, which must refuse it."""
        ack = await self.call(event, payload)
        assert ack["ok"] is False, ack
        error: dict[str, Any] = ack["error"]
        return error

    def of(self, event: str) -> list[Any]:
        """The payloads received for this event, in order."""
        return [received.payload for received in self.events if received.event == event]

    async def wait_for(
        self, event: str, predicate: Callable[[Any], bool] = lambda _: True, timeout: float = 10, *, since: int = 0
    ) -> Any:
        """The first payload of this event that fits, received already (from position `since`) or yet to come."""

        def found() -> list[Any]:
            return [e.payload for e in self.events[since:] if e.event == event and predicate(e.payload)]

        async with self._arrived:
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait_for(found)
            except TimeoutError:
                self._check_violations()
                received = [(e.event, e.payload) for e in self.events[since:]][-20:]
                raise AssertionError(f"no fitting {event} within {timeout} s; received: {received}") from None
        return found()[0]

    async def receive(self, event: str, payload: Any, timeout: float = 10) -> None:
        """Wait until this event came with just this payload."""
        await self.wait_for(event, lambda received: received == payload, timeout)

    async def wait_disconnected(self, timeout: float = 10) -> None:
        async with self._arrived:
            async with asyncio.timeout(timeout):
                await self._arrived.wait_for(lambda: bool(self.disconnects) and not self.client.connected)

    async def wait_reconnected(self, connects: int, timeout: float = 20) -> None:
        """Wait until it has connected more often than `connects` times."""
        async with self._arrived:
            async with asyncio.timeout(timeout):
                await self._arrived.wait_for(lambda: self.connects > connects and self.client.connected)

    async def close(self) -> None:
        await self.client.shutdown()
        self._check_violations()

    def _check_violations(self) -> None:
        assert not self.violations, "\n".join(self.violations)

    async def _on_any(self, event: str, *payload: Any) -> None:
        if violation := contract_violation(event, payload):
            self.violations.append(violation)
        self.events.append(Received(event, payload[0] if payload else None, time.monotonic()))
        await self._notify()

    async def _on_connect(self) -> None:
        self.connects += 1
        await self._notify()

    async def _on_disconnect(self, reason: Any) -> None:
        self.disconnects.append(reason)
        await self._notify()

    async def _on_refused(self, data: Any) -> None:
        self._refusal = data.get("data", data) if isinstance(data, dict) else data

    async def _notify(self) -> None:
        async with self._arrived:
            self._arrived.notify_all()


def contract_violation(event: str, payload: tuple[Any, ...]) -> str | None:
    """Return what is wrong with an event that a server sent, None when it is as its contract says."""
    contract = TO_CLIENT.get(event)
    if contract is None:
        return f"{event}: no such event"
    if len(payload) != 1:
        return f"{event}: {len(payload)} payloads"
    try:
        contract.model_validate_json(orjson.dumps(payload[0]), strict=True)
    except ValidationError as error:
        return f"{event}: {error}"
    return None


def ack_violation(event: str, ack: Any) -> str | None:
    """Return what is wrong with an ack, None when it is as its contract says."""
    refused = isinstance(ack, dict) and ack.get("ok") is False
    contract = RefusedAck if refused or event not in ACKS else ACKS[event]
    try:
        contract.model_validate_json(orjson.dumps(ack), strict=True)
    except ValidationError as error:
        return f"{event}: {error}"
    return None


@dataclass
class User:
    """A registered user with a session."""

    base_url: str
    http: aiohttp.ClientSession
    username: str
    password: str
    tokens: dict[str, Any]
    sockets: list[LiveSocket] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.tokens["user"]["id"])

    @property
    def access_token(self) -> str:
        return str(self.tokens["access_token"])

    @property
    def session_id(self) -> str:
        return str(self.tokens["session_id"])

    async def request(self, method: str, path: str, json: Any = None, **options: Any) -> Response:
        """Any call, with one's own token; errors are answers too."""
        headers = {"Authorization": f"Bearer {self.access_token}"} | options.pop("headers", {})
        return await request(self.http, method, self.base_url + path, json=json, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> Any:
        return await self._expect("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Any:
        return await self._expect("POST", path, json=json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> Any:
        return await self._expect("PUT", path, json=json, **options)

    async def patch(self, path: str, json: Any = None, **options: Any) -> Any:
        return await self._expect("PATCH", path, json=json, **options)

    async def delete(self, path: str, **options: Any) -> Any:
        return await self._expect("DELETE", path, **options)

    async def login(self, device_name: str | None = None) -> "User":
        """Log in again, and return the same user with a second session."""
        body = {"username": self.username, "password": self.password} | (
            {"device_name": device_name} if device_name else {}
        )
        answer = await request(self.http, "POST", f"{self.base_url}/v1/auth/login", json=body)
        assert answer.status == 200, answer
        return User(self.base_url, self.http, self.username, self.password, answer.body)

    async def refresh(self) -> None:
        body = {"refresh_token": self.tokens["refresh_token"]}
        answer = await request(self.http, "POST", f"{self.base_url}/v1/auth/refresh", json=body)
        assert answer.status == 200, answer
        self.tokens = answer.body

    async def connect(
        self, *, transports: tuple[str, ...] = ("websocket",), reconnection: bool = True, at: str | None = None
    ) -> LiveSocket:
        """A new live socket, ready; closed with the user. `at`: past the edge, to a gateway of one's choice."""
        live = LiveSocket(at or self.base_url, self.access_token, transports, reconnection)
        self.sockets.append(live)
        return await live.connect()

    async def say(self, conversation_id: str, body: str, **fields: Any) -> dict[str, Any]:
        """A message by REST, with an id of its own."""
        path = f"/v1/conversations/{conversation_id}/messages"
        message: dict[str, Any] = await self.post(path, {"client_message_id": new_name(), "body": body} | fields)
        return message

    async def direct_with(self, other: "User") -> dict[str, Any]:
        conversation: dict[str, Any] = await self.post(
            "/v1/conversations", {"type": "direct", "member_ids": [other.id]}
        )
        return conversation

    async def group_with(self, *others: "User", title: str = "A group") -> dict[str, Any]:
        body = {"type": "group", "title": title, "member_ids": [other.id for other in others]}
        conversation: dict[str, Any] = await self.post("/v1/conversations", body)
        return conversation

    async def close(self) -> None:
        await asyncio.gather(*(live.close() for live in self.sockets))

    async def _expect(self, method: str, path: str, **options: Any) -> Any:
        answer = await self.request(method, path, **options)
        assert answer.status < 400, f"{method} {path}: {answer.status} {answer.body}"
        return answer.body


class Users:
    """Makes users with names of their own, and closes what they opened."""

    def __init__(self, base_url: str, http: aiohttp.ClientSession) -> None:
        self.base_url = base_url
        self.http = http
        self._made: list[User] = []

    async def register(self, name: str = "user", **fields: Any) -> User:
        username = f"{name.lower()}-{secrets.token_hex(6)}"
        body = {"username": username, "password": PASSWORD, "display_name": name} | fields
        answer = await request(self.http, "POST", f"{self.base_url}/v1/auth/register", json=body)
        assert answer.status == 201, f"register {username}: {answer.status} {answer.body}"
        user = User(self.base_url, self.http, body["username"], body["password"], answer.body)
        self._made.append(user)
        return user

    async def register_all(self, *names: str) -> list[User]:
        return list(await asyncio.gather(*(self.register(name) for name in names)))

    async def guest(self, name: str = "guest") -> User:
        answer = await request(self.http, "POST", f"{self.base_url}/v1/auth/guest", json={"display_name": name})
        assert answer.status == 201, answer
        user = User(self.base_url, self.http, answer.body["user"]["username"], "", answer.body)
        self._made.append(user)
        return user

    def keep(self, user: User) -> None:
        """Close what this user opens, who came in another way, with the others."""
        self._made.append(user)

    async def close(self) -> None:
        await asyncio.gather(*(user.close() for user in self._made))
        self._made.clear()


def new_name() -> str:
    """A `client_message_id` that nobody has used."""
    return secrets.token_urlsafe(12)


@asynccontextmanager
async def users_at(base_url: str) -> AsyncIterator[Users]:
    """Users of the system behind this address."""
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as http:
        users = Users(base_url, http)
        try:
            yield users
        finally:
            await users.close()
