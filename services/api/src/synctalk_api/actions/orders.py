"""An order: one command with where it came from, and, after the commit, what became of it."""

from dataclasses import dataclass
from typing import Any

import orjson
from synctalk_contracts.commands import AnyCommand
from synctalk_runtime.errors import AppError

from synctalk_api.clients.fanout import Tidings


@dataclass(frozen=True, slots=True)
class Done:
    """It is so, committed."""

    message: bytes | None = None
    """The `Message` as JSON, encoded once for everybody."""
    changed: bool = True
    """False: it was so before."""


Outcome = Done | AppError


@dataclass(slots=True)
class Order:
    command: AnyCommand
    connection_id: str | None = None
    """The socket it came from; None: over REST."""
    traceparent: str | None = None
    reply_to: str | None = None
    """The gateway that waits for the reply."""
    request_id: int = 0
    outcome: Outcome | None = None

    def done(self) -> Done:
        """Raises what it was refused with."""
        if isinstance(self.outcome, Done):
            return self.outcome
        assert self.outcome is not None, "the writer settles every order"
        raise self.outcome

    def reply(self) -> dict[str, Any]:
        """The contract's `Reply`, to be encoded by orjson."""
        outcome = self.outcome
        if isinstance(outcome, Done):
            result = {} if outcome.message is None else {"message": orjson.Fragment(outcome.message)}
            return {"id": self.request_id, "result": result, "error": None}
        assert outcome is not None
        return {"id": self.request_id, "result": None, "error": outcome.body()["error"]}


@dataclass(frozen=True, slots=True)
class Written:
    """What one transaction made of its orders, in their order, and what is to be told of it."""

    outcomes: list[Outcome]
    tidings: Tidings
