"""`Server.messages`: messages that the app sends, edits and deletes by itself."""

from collections.abc import Mapping, Sequence
from secrets import token_urlsafe
from typing import Any
from urllib.parse import quote

from synctalk.models import EphemeralMessage, Message, MessageOutcome
from synctalk.rest import Rest


class ServerMessages:
    """Calls with a server key (scope `messages`); made by `Server`.

    Conversations and users are given by id, or by `external(…)`. What has a `client_message_id` is sent once, however
    often it is repeated.
    """

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def send(
        self,
        conversation: str,
        sender: str,
        body: str,
        *,
        client_message_id: str | None = None,
        silent: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> Message:
        """Send a message as a member; nobody gets a push for a silent one."""
        message = {"sender": sender, "body": body, "silent": silent, "metadata": dict(metadata or {})}
        return Message.model_validate(await self._post(conversation, message, client_message_id))

    async def say(
        self,
        conversation: str,
        body: str,
        *,
        client_message_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        **what: Any,
    ) -> Message:
        """Let the conversation itself say something, which no member has sent; `what` is for the app's own clients."""
        message = {"body": body, "metadata": dict(metadata or {}), "system": {"type": "custom", **what}}
        return Message.model_validate(await self._post(conversation, message, client_message_id))

    async def send_ephemeral(
        self,
        conversation: str,
        sender: str,
        body: str,
        *,
        client_message_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> EphemeralMessage:
        """Say something to the members who are there now; it is stored nowhere."""
        message = {"sender": sender, "body": body, "metadata": dict(metadata or {}), "ephemeral": True}
        return EphemeralMessage.model_validate(await self._post(conversation, message, client_message_id))

    async def _post(self, conversation: str, message: dict[str, Any], client_message_id: str | None) -> Any:
        named = {"client_message_id": client_message_id or token_urlsafe(12), **message}
        return await self._rest.call("POST", _path(conversation), json=named, repeatable=True)

    async def send_all(self, conversation: str, messages: Sequence[Mapping[str, Any]]) -> list[MessageOutcome]:
        """Send up to 100 messages in this order, each with the fields of the interface; what is wrong with one stops no
        other."""
        named = [{"client_message_id": token_urlsafe(12), **message} for message in messages]
        answer = await self._rest.call("POST", _path(conversation), json={"messages": named}, repeatable=True)
        return [MessageOutcome.model_validate(item) for item in answer["items"]]

    async def edit(self, conversation: str, message_id: str, body: str) -> Message:
        """Change the text of any message."""
        return Message.model_validate(
            await self._rest.call("PATCH", _message(conversation, message_id), json={"body": body})
        )

    async def delete(self, conversation: str, message_id: str) -> None:
        """Delete any message."""
        await self._rest.call("DELETE", _message(conversation, message_id))


def _path(conversation: str) -> str:
    return f"/v1/server/conversations/{quote(conversation, safe='')}/messages"


def _message(conversation: str, message_id: str) -> str:
    return f"/v1/conversations/{quote(conversation, safe='')}/messages/{quote(message_id, safe='')}"
