"""What is allowed and due."""

from typing import cast

import pytest
from synctalk_gateway import rules
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.protocol.engine_socket import EngineSocket
from synctalk_runtime.errors import InvalidError, UnauthenticatedError
from synctalk_runtime.tokens import Principal


@pytest.mark.parametrize(
    ("now", "step"),
    [(0, ("warn", 40)), (40, ("warn", 0)), (39, ("warn", 1)), (99, ("warn", 0)), (100, ("end", 0)), (200, ("end", 0))],
)
def test_next_expiry_step(now: float, step: tuple[str, float]) -> None:
    assert rules.next_expiry_step(expires_at=100, warning_s=60, now=now) == step


@pytest.fixture
def ada() -> Connection:
    return Connection("c1", "ada", "s1", 0.0, cast(EngineSocket, None))


def test_must_be_same_session__another_session_or_user__is_refused(ada: Connection) -> None:
    rules.must_be_same_session(ada, Principal(ada.user_id, ada.session_id, 1, "k"))
    for other in (Principal(ada.user_id, "other", 1, "k"), Principal("bob", ada.session_id, 1, "k")):
        with pytest.raises(UnauthenticatedError):
            rules.must_be_same_session(ada, other)


def test_must_fit_subscriptions__counts_each_user_once(ada: Connection) -> None:
    ada.watching = {"a", "b"}
    rules.must_fit_subscriptions(ada, ["a", "b", "c"], 3)
    with pytest.raises(InvalidError):
        rules.must_fit_subscriptions(ada, ["c", "d"], 3)


def test_must_fit_subscriptions__counts_unrelated_users_too(ada: Connection) -> None:
    ada.watching, ada.unrelated = {"a"}, {"b", "c"}
    rules.must_fit_subscriptions(ada, ["c"], 3)
    with pytest.raises(InvalidError):
        rules.must_fit_subscriptions(ada, ["d"], 3)
