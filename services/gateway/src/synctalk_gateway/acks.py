"""Acks of socket events: `{ok: true, …}` or `{ok: false, error}`."""

from collections.abc import Callable
from typing import Any

from synctalk_runtime.errors import AppError

Ack = dict[str, Any]


def done(**fields: object) -> Ack:
    return {"ok": True, **fields}


def refused(error: AppError) -> Ack:
    return {"ok": False, **error.body()}


class PendingAck:
    """An ack to come.

    Not a future: that calls back in the loop's next turn, and what came in the same read from Redis goes out before. In
    a large room an ack then waits for a thousand sockets (p50 15 ms instead of 8).
    """

    __slots__ = ("_ack", "_callback")

    def __init__(self) -> None:
        self._ack: Ack | None = None
        self._callback: Callable[[Ack], None] | None = None

    def then(self, callback: Callable[[Ack], None]) -> None:
        """Call the one that is interested with the ack, at once when it is known."""
        if self._ack is None:
            self._callback = callback
        else:
            callback(self._ack)

    def set(self, ack: Ack) -> None:
        """The ack is known; only the first one counts."""
        if self._ack is not None:
            return
        self._ack = ack
        if self._callback is not None:
            self._callback(ack)

    def done(self) -> bool:
        return self._ack is not None

    def result(self) -> Ack:
        """Return the ack, which must be known."""
        assert self._ack is not None
        return self._ack
