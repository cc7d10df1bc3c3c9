"""What a backend does with its server key: `async with Server(url, key) as server`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from synctalk.auth import FixedToken
from synctalk.http import Http
from synctalk.models import (
    CreatedBot,
    CreatedKey,
    CreatedWebhook,
    HostEvent,
    HostEvents,
    ServerKeyInfo,
    ServerUser,
    Tokens,
    User,
    UserOutcome,
    WebhookDelivery,
    WebhookInfo,
)
from synctalk.rest import PAGE, Rest
from synctalk.server_conversations import ServerConversations
from synctalk.server_messages import ServerMessages

WAIT_S = 10.0
"""How long a reading of the feed waits for an event; less than any call may take."""


def _user(external_id: str) -> str:
    return f"/v1/server/users/{quote(external_id, safe='')}"


def _webhook(webhook_id: str) -> str:
    return f"/v1/webhooks/{quote(webhook_id, safe='')}"


class Server:
    """Calls with a server key (`stk_…`); each needs the scope that it names."""

    def __init__(self, base_url: str, key: str) -> None:
        self._http = Http(base_url)
        self._tokens = FixedToken(key)
        self._rest = Rest(self._http, self._tokens)
        self.conversations = ServerConversations(self._rest)
        self.messages = ServerMessages(self._rest)

    async def __aenter__(self) -> Self:
        await self._http.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    def acting_as(self, user_id: str) -> Rest:
        """Return the calls of the REST interface, made as this user (scope `act`)."""
        return Rest(self._http, self._tokens, {"X-SyncTalk-User": user_id})

    def acting_as_external(self, external_id: str) -> Rest:
        """Return the calls made as the user whom the app knows by this id (scope `act`)."""
        return self.acting_as(f"external:{quote(external_id, safe='')}")

    # -- users

    async def put_user(self, external_id: str, **fields: Any) -> ServerUser:
        """Make or change the user whom the app knows by this id (scope `users`).

        `display_name` is needed to make one; also `avatar_url`, `username`, `metadata`, `private_metadata`. What is
        left out keeps its value.
        """
        return ServerUser.model_validate(await self._rest.call("PUT", _user(external_id), json=fields))

    async def put_users(self, users: Sequence[Mapping[str, Any]]) -> list[UserOutcome]:
        """Make or change up to 100 users, each with `external_id`; what is wrong with one stops no other."""
        answer = await self._rest.call("POST", "/v1/server/users", json={"users": list(users)})
        return [UserOutcome.model_validate(item) for item in answer["items"]]

    async def user(self, external_id: str) -> ServerUser:
        return ServerUser.model_validate(await self._rest.call("GET", _user(external_id)))

    async def deactivate_user(self, external_id: str, erase: str | None = None) -> None:
        """End a user's sessions for good (scope `users`). `erase`: `messages`, or `author`, who wrote them."""
        await self._rest.call("DELETE", _user(external_id), params={"erase": erase} if erase else None)

    async def user_tokens(self, external_id: str) -> Tokens:
        """Open a session for a user (scope `tokens`): for apps without JWTs of their own."""
        return Tokens.model_validate(await self._rest.call("POST", f"{_user(external_id)}/token"))

    # -- what happened

    async def read_events(
        self, after: str | None = None, *, types: Sequence[str] = (), limit: int = PAGE, wait_s: float = 0
    ) -> HostEvents:
        """Return a page of the feed (scope `events`). `after`: `next` of the one before, `0` from the oldest, None:
        none, and where now is. With `wait_s` the call waits if there is nothing."""
        params: dict[str, str | int] = {"limit": limit}
        if after is not None:
            params["after"] = after
        if types:
            params["types"] = ",".join(types)
        if wait_s:
            params["wait"] = round(wait_s)
        return HostEvents.model_validate(await self._rest.call("GET", "/v1/events", params=params))

    async def events(
        self, after: str | None = None, *, types: Sequence[str] = ()
    ) -> AsyncIterator[tuple[HostEvent, str]]:
        """Yield what happens, for ever, each event with the place after it: kept when the event was dealt with, and
        given as `after`, it goes on from there. What was on the way comes again then.

        Raises CallError `gone` when what follows `after` is not kept any more.
        """
        place = after if after is not None else (await self.read_events()).next
        while True:
            page = await self.read_events(place, types=types, limit=PAGE, wait_s=WAIT_S)
            for event in page.items[:-1]:
                yield event, place
            if page.items:
                yield page.items[-1], page.next
            place = page.next

    async def create_webhook(self, url: str, types: Sequence[str], description: str = "") -> CreatedWebhook:
        """Have events sent to a URL (scope `webhooks`); its secret is shown only here."""
        body = {"url": url, "types": list(types), "description": description}
        return CreatedWebhook.model_validate(await self._rest.call("POST", "/v1/webhooks", json=body))

    async def webhooks(self) -> list[WebhookInfo]:
        answer = await self._rest.call("GET", "/v1/webhooks")
        return [WebhookInfo.model_validate(item) for item in answer["items"]]

    async def change_webhook(self, webhook_id: str, **fields: Any) -> WebhookInfo:
        """Change `active`, `url`, `types`, `description`, or `rotate_secret=True`."""
        return WebhookInfo.model_validate(await self._rest.call("PATCH", _webhook(webhook_id), json=fields))

    async def test_webhook(self, webhook_id: str) -> int | None:
        """Send an event `webhook.test`; return the status of the answer, None where there was none."""
        answer = await self._rest.call("POST", f"{_webhook(webhook_id)}/test")
        return None if answer["status"] is None else int(answer["status"])

    async def webhook_deliveries(self, webhook_id: str) -> list[WebhookDelivery]:
        """Return the latest deliveries."""
        answer = await self._rest.call("GET", f"{_webhook(webhook_id)}/deliveries")
        return [WebhookDelivery.model_validate(item) for item in answer["items"]]

    async def replay_webhook(self, webhook_id: str, after: str) -> None:
        """Have what follows a place of the feed sent again."""
        await self._rest.call("POST", f"{_webhook(webhook_id)}/replay", json={"after": after})

    async def delete_webhook(self, webhook_id: str) -> None:
        await self._rest.call("DELETE", _webhook(webhook_id))

    # -- bots and keys

    async def create_bot(self, username: str, display_name: str) -> CreatedBot:
        """Make a bot (scope `bots`); its token is shown only here."""
        body = {"username": username, "display_name": display_name}
        return CreatedBot.model_validate(await self._rest.call("POST", "/v1/server/bots", json=body))

    async def bots(self) -> AsyncIterator[User]:
        """Yield all bots (scope `bots`), the newest first."""
        params: dict[str, str | int] = {"limit": PAGE}
        while True:
            answer = await self._rest.call("GET", "/v1/server/bots", params=params)
            for item in answer["items"]:
                yield User.model_validate(item)
            if answer["next_cursor"] is None:
                return
            params = {"limit": PAGE, "cursor": answer["next_cursor"]}

    async def renew_bot_token(self, bot_id: str) -> str:
        """Return a new token of a bot (scope `bots`); the old one ends."""
        answer = await self._rest.call("POST", f"/v1/server/bots/{quote(bot_id, safe='')}/token")
        return str(answer["token"])

    async def end_bot(self, bot_id: str) -> None:
        await self._rest.call("DELETE", f"/v1/server/bots/{quote(bot_id, safe='')}")

    async def create_key(self, name: str, scopes: Sequence[str], expires_at: datetime | None = None) -> CreatedKey:
        """Make a server key (scope `keys`) with scopes that one's own has; it is shown only here."""
        body: dict[str, Any] = {"name": name, "scopes": list(scopes)}
        if expires_at is not None:
            body["expires_at"] = expires_at.isoformat()
        return CreatedKey.model_validate(await self._rest.call("POST", "/v1/server/keys", json=body))

    async def keys(self) -> list[ServerKeyInfo]:
        answer = await self._rest.call("GET", "/v1/server/keys")
        return [ServerKeyInfo.model_validate(item) for item in answer["items"]]

    async def revoke_key(self, key_id: str) -> None:
        await self._rest.call("DELETE", f"/v1/server/keys/{quote(key_id, safe='')}")
