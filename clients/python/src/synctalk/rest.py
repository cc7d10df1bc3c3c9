"""The REST interface, one method for each call.

Calls that change nothing when they are repeated are repeated while the server cannot answer, for `GIVE_UP_AFTER_S` at
most. A refused token is renewed once.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, TypeVar
from urllib.parse import quote

from synctalk.auth import TokenSource
from synctalk.errors import CallError
from synctalk.http import Http, Params
from synctalk.models import (
    Conversation,
    Member,
    MentionHit,
    Message,
    Model,
    Presence,
    Receipt,
    SearchHit,
    Session,
    SyncState,
    User,
)
from synctalk.timing import retrying

M = TypeVar("M", bound=Model)

GIVE_UP_AFTER_S = 30.0
PAGE = 100
REPEATABLE = frozenset({"GET", "PUT", "DELETE", "PATCH"})


class Rest:
    """Calls as one user; made by `Client.rest` and `Server.acting_as`."""

    def __init__(self, http: Http, tokens: TokenSource, headers: Mapping[str, str] | None = None) -> None:
        self._http = http
        self._tokens = tokens
        self._headers = dict(headers or {})

    # -- users

    async def me(self) -> User:
        return User.model_validate(await self.call("GET", "/v1/users/me"))

    async def update_me(self, **fields: str | None) -> User:
        """Change `display_name`, `avatar_url` or both."""
        return User.model_validate(await self.call("PATCH", "/v1/users/me", json=fields))

    async def user(self, user_id: str) -> User:
        return User.model_validate(await self.call("GET", f"/v1/users/{_quoted(user_id)}"))

    async def users(self, user_ids: Sequence[str]) -> list[User]:
        """Return those of the ids (100 at most) that exist."""
        answer = await self.call("GET", "/v1/users", params={"ids": ",".join(user_ids)})
        return [User.model_validate(item) for item in answer["items"]]

    def search_users(self, search: str) -> AsyncIterator[User]:
        return self._items(User, "/v1/users", {"search": search, "limit": PAGE})

    # -- conversations and members

    async def create_direct(self, user_id: str) -> Conversation:
        """Return the direct conversation with a user, a new one if there is none."""
        return await self._create({"type": "direct", "member_ids": [user_id]}, repeatable=True)

    async def create_group(
        self, title: str, member_ids: Sequence[str] = (), *, system_messages: bool = False
    ) -> Conversation:
        """Create a group; with `system_messages` it says what happens in it in messages of its own."""
        group = {"type": "group", "title": title, "member_ids": list(member_ids), "system_messages": system_messages}
        return await self._create(group, repeatable=False)

    async def _create(self, body: dict[str, Any], *, repeatable: bool) -> Conversation:
        return Conversation.model_validate(
            await self.call("POST", "/v1/conversations", json=body, repeatable=repeatable)
        )

    async def conversation(self, conversation_id: str) -> Conversation:
        return Conversation.model_validate(await self.call("GET", _conversation(conversation_id)))

    def conversations(self) -> AsyncIterator[Conversation]:
        """Yield all of one's conversations, newest activity first."""
        return self._items(Conversation, "/v1/conversations", {"limit": PAGE})

    async def rename(self, conversation_id: str, title: str) -> Conversation:
        answer = await self.call("PATCH", _conversation(conversation_id), json={"title": title})
        return Conversation.model_validate(answer)

    async def mark_unread(self, conversation_id: str) -> Conversation:
        """Mark a conversation unread for oneself, until the next read."""
        answer = await self.call("PATCH", f"{_conversation(conversation_id)}/me", json={"unread": True})
        return Conversation.model_validate(answer)

    def members(self, conversation_id: str) -> AsyncIterator[Member]:
        return self._items(Member, f"{_conversation(conversation_id)}/members", {"limit": PAGE})

    async def add_members(self, conversation_id: str, user_ids: Sequence[str]) -> list[Member]:
        path = f"{_conversation(conversation_id)}/members"
        answer = await self.call("POST", path, json={"user_ids": list(user_ids)}, repeatable=True)
        return [Member.model_validate(item) for item in answer["items"]]

    async def set_role(self, conversation_id: str, user_id: str, role: str) -> Member:
        path = f"{_conversation(conversation_id)}/members/{_quoted(user_id)}"
        return Member.model_validate(await self.call("PATCH", path, json={"role": role}))

    async def remove_member(self, conversation_id: str, user_id: str) -> None:
        """Remove a member; one's own id leaves the conversation."""
        await self.call("DELETE", f"{_conversation(conversation_id)}/members/{_quoted(user_id)}")

    # -- messages

    async def messages(
        self,
        conversation_id: str,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        around_seq: int | None = None,
        around: str | None = None,
        at: datetime | None = None,
        limit: int = PAGE,
    ) -> list[Message]:
        """Return one page, ascending; without a bound the newest. Only one bound may be given."""
        bounds: dict[str, int | str | None] = {"before_seq": before_seq, "after_seq": after_seq}
        bounds |= {"around_seq": around_seq, "around": around, "at": None if at is None else at.isoformat()}
        params: Params = {"limit": limit, **{name: bound for name, bound in bounds.items() if bound is not None}}
        answer = await self.call("GET", f"{_conversation(conversation_id)}/messages", params=params)
        return [Message.model_validate(item) for item in answer["items"]]

    async def history(self, conversation_id: str, after_seq: int = 0) -> AsyncIterator[Message]:
        """Yield all messages after `seq`, in order."""
        while page := await self.messages(conversation_id, after_seq=after_seq):
            for message in page:
                yield message
            after_seq = page[-1].seq

    async def message(self, conversation_id: str, message_id: str) -> Message:
        return Message.model_validate(await self.call("GET", _message(conversation_id, message_id)))

    async def send(
        self,
        conversation_id: str,
        body: str,
        *,
        reply_to: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        client_message_id: str | None = None,
    ) -> Message:
        """Send a message; a repeat with the same `client_message_id` is the same message."""
        payload = new_message(body, client_message_id, reply_to=reply_to, metadata=metadata)
        answer = await self.call("POST", f"{_conversation(conversation_id)}/messages", json=payload, repeatable=True)
        return Message.model_validate(answer)

    async def start_stream(
        self,
        conversation_id: str,
        body: str = "",
        *,
        thread_id: str | None = None,
        client_message_id: str | None = None,
    ) -> Message:
        """Begin a message whose text follows; a repeat with the same `client_message_id` is the same message."""
        path = f"{_conversation(conversation_id)}/messages/stream"
        return Message.model_validate(
            await self.call(
                "POST", path, json=new_message(body, client_message_id, thread_id=thread_id), repeatable=True
            )
        )

    async def append_to_stream(self, conversation_id: str, message_id: str, at: int, text: str) -> int:
        """Append at an offset in code points, and return how far the text reaches; what is there already is skipped.

        Raises CallError `conflict` with `details["at"]` where text before it is missing.
        """
        path = f"{_message(conversation_id, message_id)}/stream"
        answer = await self.call("PATCH", path, json={"at": at, "text": text})
        return int(answer["at"])

    async def end_stream(self, conversation_id: str, message_id: str, body: str | None = None) -> Message:
        """End a streamed message; `body` takes the place of what was appended. An empty one is deleted."""
        path = f"{_message(conversation_id, message_id)}/stream/end"
        return Message.model_validate(await self.call("POST", path, json={} if body is None else {"body": body}))

    async def forward(self, message: Message, conversation_id: str, *, client_message_id: str | None = None) -> Message:
        """Forward a message into a conversation; a repeat with the same `client_message_id` is the same message."""
        source = {"conversation_id": message.conversation_id, "message_id": message.id}
        payload = {"client_message_id": client_message_id or token_urlsafe(16), "forward": source}
        answer = await self.call("POST", f"{_conversation(conversation_id)}/messages", json=payload, repeatable=True)
        return Message.model_validate(answer)

    async def edit(self, conversation_id: str, message_id: str, body: str) -> Message:
        answer = await self.call("PATCH", _message(conversation_id, message_id), json={"body": body})
        return Message.model_validate(answer)

    async def delete(self, conversation_id: str, message_id: str) -> None:
        await self.call("DELETE", _message(conversation_id, message_id))

    async def react(self, conversation_id: str, message_id: str, emoji: str) -> None:
        await self.call("PUT", f"{_message(conversation_id, message_id)}/reactions/{_quoted(emoji)}")

    async def unreact(self, conversation_id: str, message_id: str, emoji: str) -> None:
        await self.call("DELETE", f"{_message(conversation_id, message_id)}/reactions/{_quoted(emoji)}")

    def search_messages(
        self,
        query: str = "",
        conversation_id: str | None = None,
        *,
        sender_id: str | None = None,
        mentions_me: bool = False,
        has: Sequence[str] = (),
        before: datetime | None = None,
        after: datetime | None = None,
    ) -> AsyncIterator[SearchHit]:
        """Yield the messages that fit all that is given, newest first. `has`: `file`, `link`, `reaction`, `pin`."""
        filters: dict[str, Any] = {
            "q": query or None,
            "conversation_id": conversation_id,
            "sender_id": sender_id,
            "mentions": "me" if mentions_me else None,
            "has": list(has) or None,
            "before": None if before is None else before.isoformat(),
            "after": None if after is None else after.isoformat(),
        }
        given = {name: value for name, value in filters.items() if value is not None}
        return self._items(SearchHit, "/v1/search/messages", given)

    def mentions(self) -> AsyncIterator[MentionHit]:
        """Yield the messages that mention oneself, newest first."""
        return self._items(MentionHit, "/v1/mentions", {"limit": PAGE})

    # -- receipts, sync, presence, sessions

    def receipts(self, conversation_id: str, seq: int) -> AsyncIterator[Receipt]:
        """Yield for each other member whether they received and read a message."""
        return self._items(Receipt, f"{_conversation(conversation_id)}/receipts", {"seq": seq, "limit": PAGE})

    async def mark_read(self, conversation_id: str, seq: int) -> None:
        await self.call("POST", f"{_conversation(conversation_id)}/read", json={"seq": seq}, repeatable=True)

    async def sync(self, cursors: Mapping[str, int]) -> dict[str, SyncState]:
        """Return what changed since these `change_seq`, 100 conversations at most."""
        answer = await self.call("POST", "/v1/sync", json={"cursors": dict(cursors)}, repeatable=True)
        return {key: SyncState.model_validate(state) for key, state in answer["conversations"].items()}

    async def presence(self, user_ids: Sequence[str]) -> list[Presence]:
        answer = await self.call("GET", "/v1/presence", params={"user_ids": ",".join(user_ids)})
        return [Presence.model_validate(item) for item in answer["items"]]

    async def set_presence(self, **fields: str | bool | None) -> None:
        """Set `status`, `custom_status`, `last_seen_visible` (`everyone`, `contacts`, `nobody`), or some of them."""
        await self.call("PUT", "/v1/presence/me", json=fields)

    def sessions(self) -> AsyncIterator[Session]:
        return self._items(Session, "/v1/auth/sessions", {"limit": PAGE})

    async def end_session(self, session_id: str) -> None:
        await self.call("DELETE", f"/v1/auth/sessions/{_quoted(session_id)}")

    async def log_out(self) -> None:
        await self.call("POST", "/v1/auth/logout")

    # -- any call

    async def call(
        self, method: str, path: str, *, json: Any = None, params: Params | None = None, repeatable: bool = False
    ) -> Any:
        """Make any call and return the JSON of its answer. Raises CallError, NoAnswerError, SessionEndedError."""
        repeats = repeatable or method in REPEATABLE
        return await retrying(
            lambda: self.call_once(method, path, json=json, params=params),
            give_up_after_s=GIVE_UP_AFTER_S if repeats else 0,
        )

    async def call_once(self, method: str, path: str, *, json: Any = None, params: Params | None = None) -> Any:
        token = await self._tokens.token()
        try:
            return await self._with(token, method, path, json, params)
        except CallError as error:
            if not error.refuses_token:
                raise
            return await self._with(await self._tokens.token(refused=token), method, path, json, params)

    async def _with(self, token: str, method: str, path: str, json: Any, params: Params | None) -> Any:
        return await self._http.call(method, path, token=token, json=json, params=params, headers=self._headers)

    async def _items(self, model: type[M], path: str, params: Params) -> AsyncIterator[M]:
        given = params
        while True:
            answer = await self.call("GET", path, params=given)
            for item in answer["items"]:
                yield model.model_validate(item)
            if answer["next_cursor"] is None:
                return
            given = {**params, "cursor": answer["next_cursor"]}


def new_message(body: str, client_message_id: str | None, **fields: Any) -> dict[str, Any]:
    """Return what sends a message, with an id of its own unless one is given; fields that are None are left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    return {"client_message_id": client_message_id or token_urlsafe(16), "body": body} | given


def _quoted(part: str) -> str:
    return quote(part, safe="")


def _conversation(conversation_id: str) -> str:
    return f"/v1/conversations/{_quoted(conversation_id)}"


def _message(conversation_id: str, message_id: str) -> str:
    return f"{_conversation(conversation_id)}/messages/{_quoted(message_id)}"
