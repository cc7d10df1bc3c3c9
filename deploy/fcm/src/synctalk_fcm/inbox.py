"""The pushes that came, in memory: a bounded list, oldest dropped, and how often each token was tried."""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from synctalk_contracts.ids import format_time


@dataclass(frozen=True)
class Received:
    token: str
    received_at: datetime
    answered: int
    """The HTTP status that it was answered with."""
    message: dict[str, Any]
    """As FCM's HTTP v1 body; empty when it came by Web Push."""
    headers: dict[str, str] | None = None
    body: str | None = None
    """By Web Push, as base64."""

    def to_json(self) -> dict[str, Any]:
        by_web_push = {} if self.body is None else {"headers": self.headers, "body": self.body}
        return by_web_push | {
            "token": self.token,
            "received_at": format_time(self.received_at),
            "answered": self.answered,
            "message": self.message,
        }


class Inbox:
    def __init__(self, max_messages: int) -> None:
        self._received: deque[Received] = deque(maxlen=max_messages)
        self._sends: Counter[str] = Counter()
        self._max_tokens = max_messages

    def count_send(self, token: str) -> int:
        """Count a try of this token, and return how often it was tried before."""
        earlier = self._sends[token]
        if token not in self._sends and len(self._sends) >= self._max_tokens:
            self._sends.clear()
        self._sends[token] = earlier + 1
        return earlier

    def sends(self, token: str) -> int:
        """Return how often this token was tried, what is not answered yet included."""
        return self._sends[token]

    def add(self, received: Received) -> None:
        self._received.append(received)

    def messages(self, token: str | None = None) -> list[Received]:
        """Oldest first; a slow one is added after it was answered, and stands where it was received."""
        found = [one for one in self._received if token is None or one.token == token]
        return sorted(found, key=lambda one: one.received_at)

    def clear(self) -> None:
        """Forgets everything: a token that had got through its failures fails anew."""
        self._received.clear()
        self._sends.clear()
