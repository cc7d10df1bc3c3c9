"""A host app's backend, as tests play it: it calls with a server key."""

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.http import Response, request

CONVERSATIONS = "/v1/server/conversations/"


@dataclass
class Backend:
    users: Users
    key: str

    async def request(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        sent = {"Authorization": f"Bearer {self.key}"} | headers
        return await request(self.users.http, method, self.users.base_url + path, json=body, headers=sent)

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = await self.request(method, path, body, **headers)
        assert answer.status < 300, answer
        return answer.body

    async def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str | None]:
        answer = await self.request(method, path, body, **headers)
        assert answer.status >= 400, answer
        return answer.status, answer.code

    async def with_scopes(self, *scopes: str) -> "Backend":
        """Return the same backend with a key of its own, which may only this."""
        made = await self.call("POST", "/v1/server/keys", {"name": "scoped", "scopes": scopes})
        return Backend(self.users, made["key"])

    async def put_user(self) -> tuple[str, str]:
        """Make a user; return the id, and the name by which the user can be given."""
        external_id = f"customer/{secrets.token_hex(6)}"
        user = await self.call("PUT", of_user(external_id), {"display_name": "Cus"})
        return user["id"], f"external:{external_id}"

    async def user(self) -> tuple[User, str]:
        """Make a user, and sign in; return the user and the host app's name for it."""
        _, name = await self.put_user()
        external_id = name.removeprefix("external:")
        tokens = await self.call("POST", f"{of_user(external_id)}/token")
        return self.signed_in(tokens), external_id

    def signed_in(self, tokens: dict[str, Any]) -> User:
        user = User(self.users.base_url, self.users.http, tokens["user"]["username"], "", tokens)
        self.users.keep(user)
        return user

    async def put(self, name: str, *members: str, **fields: Any) -> Any:
        return await self.call("PUT", place(name), {"type": "group", "member_ids": list(members), **fields})

    async def feed_end(self) -> str:
        """Return where the feed ends now."""
        return str((await self.call("GET", "/v1/events"))["next"])

    async def events(self, after: str, about: str, *kinds: str) -> list[dict[str, Any]]:
        """Return the events since that place that name this id."""
        types = f"&types={','.join(kinds)}" if kinds else ""
        page = await self.call("GET", f"/v1/events?after={after}&limit=1000{types}")
        return [event for event in page["items"] if about in orjson.dumps(event).decode()]


def of_user(external_id: str) -> str:
    return f"/v1/server/users/{quote(external_id, safe='')}"


def new_ticket() -> str:
    return f"support/ticket-{secrets.token_hex(6)}"


def place(name: str) -> str:
    return CONVERSATIONS + quote(name, safe="")


def said(sender: str, body: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"sender": sender, "client_message_id": new_name(), "body": body, **fields}
