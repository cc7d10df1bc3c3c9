"""An asyncio client of SyncTalk.

`Client` is one user or bot, live; `Server` is a backend with a server key. What they answer is in `synctalk.models`,
what happens in `synctalk.events`, what goes wrong in `synctalk.errors`.
"""

from synctalk.auth import Bot, Exchange, Guest, Password, Resume, SignIn
from synctalk.client import Client
from synctalk.errors import CallError, NoAnswerError, SessionEndedError, SyncTalkError
from synctalk.events import (
    Connected,
    ConversationAdded,
    ConversationRemoved,
    ConversationUpdated,
    Disconnected,
    Event,
    HistoryReset,
    MemberChanged,
    MessageCreated,
    MessageDeleted,
    MessageDelta,
    MessageEphemeral,
    MessageEvent,
    MessageUpdated,
    PresenceChanged,
    ReceiptUpdated,
    Typing,
    UserUpdated,
)
from synctalk.following import Cursor
from synctalk.rest import Rest
from synctalk.server import Server
from synctalk.server_conversations import external
from synctalk.streaming import TextStream

__all__ = [
    "Bot",
    "CallError",
    "Client",
    "Connected",
    "ConversationAdded",
    "ConversationRemoved",
    "ConversationUpdated",
    "Cursor",
    "Disconnected",
    "Event",
    "Exchange",
    "Guest",
    "HistoryReset",
    "MemberChanged",
    "MessageCreated",
    "MessageDeleted",
    "MessageDelta",
    "MessageEphemeral",
    "MessageEvent",
    "MessageUpdated",
    "NoAnswerError",
    "Password",
    "PresenceChanged",
    "ReceiptUpdated",
    "Rest",
    "Resume",
    "Server",
    "SessionEndedError",
    "SignIn",
    "SyncTalkError",
    "TextStream",
    "Typing",
    "UserUpdated",
    "external",
]
