"""What is allowed and due on a gateway: pure functions."""

from synctalk_runtime.errors import InvalidError, UnauthenticatedError
from synctalk_runtime.tokens import Person

from synctalk_gateway.hub.connection import Connection


def must_be_same_session(connection: Connection, person: Person) -> None:
    """A socket's token is renewed for the same session only. Raises UnauthenticatedError."""
    if person.session_id != connection.session_id or person.user_id != connection.user_id:
        raise UnauthenticatedError("The token is of another session.")


def must_fit_subscriptions(connection: Connection, user_ids: list[str], most: int) -> None:
    """Strangers count too: they are remembered, and asked for again. Raises InvalidError."""
    if len(connection.watching | connection.strangers | set(user_ids)) > most:
        raise InvalidError.of("user_ids", f"at most {most} people may be followed by one socket")


def next_expiry_step(expires_at: float, warning_s: float, now: float) -> tuple[str, float]:
    """What comes next for a token, and in how many seconds: the warning (at once, when it is late), or the end."""
    if now < expires_at:
        return "warn", max(0.0, expires_at - warning_s - now)
    return "end", 0.0
