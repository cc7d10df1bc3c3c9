"""presence in the tests' own process, a client of it, and what answers it as api."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from synctalk_contracts.fanout import PresenceEvent
from synctalk_runtime.ids import new_id
from synctalk_runtime.internal import HEADER
from synctalk_testkit.http import Response
from synctalk_testkit.service import SECRET, ServiceClient
from synctalk_testkit.tokens import TokenMaker


class ApiStub:
    """What answers at API_URL: who shares a conversation with whom, as a test sets it."""

    def __init__(self) -> None:
        self._pairs: set[frozenset[str]] = set()
        self._direct: set[frozenset[str]] = set()
        self._is_available = True

    def write_directly(self, a: str, b: str) -> None:
        """Let them share a direct conversation."""
        self._direct.add(frozenset({a, b}))

    def befriend(self, *users: str) -> None:
        self._pairs |= {frozenset({a, b}) for a in users for b in users if a != b}

    def part(self, a: str, b: str) -> None:
        self._pairs.discard(frozenset({a, b}))

    @contextmanager
    def unavailable(self) -> Iterator[None]:
        self._is_available = False
        yield
        self._is_available = True

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/internal/contacts", self._contacts)
        return app

    async def _contacts(self, request: web.Request) -> web.Response:
        if not self._is_available:
            return web.Response(status=503)
        assert request.headers[HEADER] == SECRET
        asked = await request.json()
        pairs = [(other, frozenset({asked["user_id"], other})) for other in asked["others"]]
        return web.json_response(
            {
                "ids": [other for other, pair in pairs if pair in self._pairs | self._direct],
                "direct": [other for other, pair in pairs if pair in self._direct],
            }
        )


@dataclass
class Service(ServiceClient):
    """Calls one presence process."""

    tokens: TokenMaker

    async def as_user(self, user_id: str, method: str, path: str, **options: Any) -> Response:
        return await self.call(method, path, token=self.tokens.mint(user_id), **options)

    async def put_raw(self, user_id: str, path: str, data: bytes) -> Response:
        json = {"content-type": "application/json"}
        return await self.call("PUT", path, data=data, headers=json, token=self.tokens.mint(user_id))

    async def internal(self, method: str, path: str, body: Any = None, **options: Any) -> Response:
        """Call `/internal/presence/…` as another service does."""
        return await super().internal(method, f"/internal/presence/{path}", body, **options)

    async def look(self, asker_id: str, *user_ids: str) -> list[dict[str, Any]]:
        response = await self.as_user(asker_id, "GET", f"/v1/presence?user_ids={','.join(user_ids)}")
        assert response.status == 200, response
        items: list[dict[str, Any]] = response.body["items"]
        return items

    async def status_of(self, asker_id: str, user_id: str) -> str:
        return str((await self.look(asker_id, user_id))[0]["status"])

    async def is_last_seen(self, asker_id: str, user_id: str) -> bool:
        """Return whether the user is shown to have been seen some time."""
        return (await self.look(asker_id, user_id))[0]["last_seen_at"] is not None

    async def set_own(self, user_id: str, **wanted: Any) -> None:
        response = await self.as_user(user_id, "PUT", "/v1/presence/me", json=wanted)
        assert response.status == 204, response

    async def report(
        self, *, held: Sequence[tuple[str, str]] = (), released: Sequence[tuple[str, str]] = ()
    ) -> Response:
        def leases(pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
            return [{"user_id": user_id, "connection_id": connection_id} for user_id, connection_id in pairs]

        body = {"gateway": "gateway-1", "held": leases(held), "released": leases(released)}
        return await self.internal("POST", "leases", body)

    async def connect(self, user_id: str, connection_id: str | None = None) -> str:
        connection_id = connection_id or f"1-{new_id()}"
        response = await self.report(held=[(user_id, connection_id)])
        assert response.status == 204, response
        return connection_id

    async def use(self, user_id: str, connection_id: str, *, active: bool) -> None:
        """Say that the connection's client is in use now, or no longer."""
        lease = {"user_id": user_id, "connection_id": connection_id, "active": active}
        body = {"gateway": "gateway-1", "held": [lease], "released": []}
        response = await self.internal("POST", "leases", body)
        assert (response.status, response.body) == (204, None)

    async def is_active(self, user_id: str) -> bool:
        """Whether the user needs no push."""
        response = await self.internal("POST", "active", {"ids": [user_id]})
        assert response.status == 200, response
        return bool(response.body["ids"] == [user_id])

    async def disconnect(self, user_id: str, connection_id: str) -> None:
        response = await self.report(released=[(user_id, connection_id)])
        assert response.status == 204, response


class ReceivedEvents:
    """The presence events that a gateway receives for some users, in order."""

    def __init__(self) -> None:
        self.events: list[PresenceEvent] = []

    def of(self, user_id: str) -> list[PresenceEvent]:
        return [event for event in self.events if event.own.user_id == user_id]

    def statuses(self, user_id: str) -> list[str]:
        """As others see them."""
        return [str(event.shown.status) for event in self.of(user_id) if event.shown_changed]


StartPresence = Callable[..., Awaitable[Service]]
Listen = Callable[..., Awaitable[ReceivedEvents]]
