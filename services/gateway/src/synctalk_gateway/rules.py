"""The rules of a gateway, as pure functions."""

from synctalk_runtime.errors import InvalidError, UnauthenticatedError
from synctalk_runtime.tokens import Principal

from synctalk_gateway.hub.connection import Connection


def must_be_same_session(connection: Connection, principal: Principal) -> None:
    """A socket's token is renewed for the same session only. Raises UnauthenticatedError."""
    if principal.session_id != connection.session_id or principal.user_id != connection.user_id:
        raise UnauthenticatedError("This token belongs to another session.")


def must_fit_subscriptions(connection: Connection, user_ids: list[str], most: int) -> None:
    """Unrelated users count too: they are remembered, and asked for again. Raises InvalidError."""
    if len(connection.watching | connection.unrelated | set(user_ids)) > most:
        raise InvalidError.of("user_ids", f"must have at most {most} users per connection")


def is_open(last_seen_visible: str, is_direct: bool) -> bool:
    """Return whether one shows when one was last seen to somebody with whom one shares a conversation."""
    return last_seen_visible == "everyone" or (last_seen_visible == "contacts" and is_direct)


def next_expiry_step(expires_at: float, warning_s: float, now: float) -> tuple[str, float]:
    """Return what is next for a token, and in how many seconds: the warning (at once, when it is late), or the end."""
    if now < expires_at:
        return "warn", max(0.0, expires_at - warning_s - now)
    return "end", 0.0
