"""auth in the tests' own process, a client of it, and what answers it as api."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiohttp import web
from synctalk_auth.routes.dependencies import Services
from synctalk_auth.settings import Settings
from synctalk_contracts.events.users import ProfileProvided
from synctalk_contracts.internal import Ids, InviteUse
from synctalk_contracts.models import User
from synctalk_testkit.http import Response
from synctalk_testkit.service import SECRET, ServiceClient, serve_stub

PASSWORD = "violet-anvil-42"


class AuthClient(ServiceClient):
    """Calls one auth process."""

    async def post(self, path: str, body: Any = None, **options: Any) -> Response:
        return await self.call("POST", path, json=body, **options)

    async def get(self, path: str, **options: Any) -> Response:
        return await self.call("GET", path, **options)

    async def register(self, username: str | None = None, **fields: Any) -> dict[str, Any]:
        """Register a new user; their tokens."""
        body = {"username": username or new_name(), "password": PASSWORD, **fields}
        response = await self.post("/v1/auth/register", body)
        assert response.status == 201, response
        tokens: dict[str, Any] = response.body
        return tokens

    async def login(self, username: str, password: str = PASSWORD, **fields: Any) -> Response:
        return await self.post("/v1/auth/login", {"username": username, "password": password, **fields})

    async def refresh(self, refresh_token: str) -> Response:
        return await self.post("/v1/auth/refresh", {"refresh_token": refresh_token})

    async def checks(self) -> dict[str, str]:
        """Return what /readyz says of each dependency."""
        checks: dict[str, str] = (await self.get("/readyz")).body["checks"]
        return checks


@dataclass
class ApiStub:
    """What answers at API_URL: the two calls of the contract that auth makes."""

    introduced: dict[str, User] = field(default_factory=dict)
    changed: dict[str, User] = field(default_factory=dict)
    given: list[ProfileProvided] = field(default_factory=list)
    hangs: bool = False
    invites: dict[str, int] = field(default_factory=dict)
    """The uses that each code has left."""
    in_conversations: set[str] = field(default_factory=set)
    """Guests that are not forgotten."""
    url: str = ""

    async def _forget_guests(self, request: web.Request) -> web.Response:
        if self.hangs:
            raise web.HTTPServiceUnavailable
        asked = Ids.model_validate_json(await request.read())
        return web.json_response({"ids": [each for each in asked.ids if each not in self.in_conversations]})

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_put("/internal/users/{user_id}", self._put_user)
        app.router.add_get("/internal/users/{user_id}", self._get_user)
        app.router.add_post("/internal/invites/use", self._use_invite)
        app.router.add_post("/internal/guests/forget", self._forget_guests)
        app.router.add_post("/internal/users/profile", self._give_profile)
        return app

    async def _use_invite(self, request: web.Request) -> web.Response:
        use = InviteUse.model_validate_json(await request.read())
        if self.hangs:
            await asyncio.sleep(60)
        if not self.invites.get(use.code):
            return web.json_response({"error": {"code": "not_found", "message": "No."}}, status=404)
        self.invites[use.code] -= 1
        return web.Response(status=204)

    async def _give_profile(self, request: web.Request) -> web.Response:
        self.given.append(ProfileProvided.model_validate_json(await request.read()))
        return web.Response(status=204)

    async def _put_user(self, request: web.Request) -> web.Response:
        assert request.headers["x-synctalk-internal"] == SECRET
        if self.hangs:
            await asyncio.sleep(60)
        user = User.model_validate_json(await request.read())
        self.introduced[user.id] = user
        return web.Response(status=204)

    async def _get_user(self, request: web.Request) -> web.Response:
        user = self.changed.get(request.match_info["user_id"])
        if user is None:
            return web.json_response({"error": {"code": "not_found", "message": "No."}}, status=404)
        return web.json_response(user.model_dump(mode="json") | {"later_field": 1})


@asynccontextmanager
async def serve_api() -> AsyncIterator[ApiStub]:
    api = ApiStub()
    async with serve_stub(api.app()) as api.url:
        yield api


@dataclass
class Auth(AuthClient):
    """A running auth, its database, and what its actions work with."""

    services: Services
    database_url: str
    settings: Settings
    api: ApiStub

    async def sql(self, statement: str, *args: Any) -> list[asyncpg.Record]:
        conn = await asyncpg.connect(self.database_url)
        try:
            return await conn.fetch(statement, *args)
        finally:
            await conn.close()


Start = Callable[..., AbstractAsyncContextManager[Auth]]


def new_name() -> str:
    """Return a username that nobody has."""
    return f"p{secrets.token_hex(6)}"
