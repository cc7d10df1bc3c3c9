"""`external:ID` in the place of a conversation's id in a path: replaced before the routes see it.

An id of the host app may hold a slash, percent-encoded, which no route would take for a part of it.
"""

from typing import Annotated
from urllib.parse import unquote

from fastapi import Path
from pydantic import WithJsonSchema
from starlette.types import ASGIApp, Receive, Scope, Send
from synctalk_contracts.ids import EXTERNAL, Id
from synctalk_runtime.app import error_response
from synctalk_runtime.errors import NotFoundError, UnavailableError

from synctalk_api.actions.names import Names

NOBODYS = "ffffffff-ffff-ffff-ffff-ffffffffffff"
"""The id of no conversation: whoever may not see what they name gets the same answer."""

ConversationId = Annotated[
    Id,
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["external:ticket-8812"]}),
    Path(description="The conversation's id, or `external:` and what the host app calls it, percent-encoded."),
]
"""In a path: an id by the time that a route sees it."""


class NamedConversations:
    """Around the application."""

    PREFIX = b"/v1/conversations/"

    def __init__(self, app: ASGIApp, names: Names) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["raw_path"].startswith(self.PREFIX):
            first, slash, rest = scope["raw_path"].removeprefix(self.PREFIX).partition(b"/")
            if (reference := unquote(first)).startswith(EXTERNAL):
                try:
                    conversation_id = await self._id_of(reference)
                except UnavailableError as error:
                    await error_response(error)(scope, receive, send)
                    return
                raw_path = self.PREFIX + conversation_id.encode() + slash + rest
                scope = {**scope, "raw_path": raw_path, "path": unquote(raw_path)}
        await self._app(scope, receive, send)

    async def _id_of(self, reference: str) -> str:
        try:
            return await self._names.referred(reference)
        except NotFoundError:
            return NOBODYS
