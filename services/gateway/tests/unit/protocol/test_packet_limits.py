"""A burst passes; what is beyond a socket's or its user's limit is refused and read slowly; what lasts is a flood."""

import pytest
from prometheus_client import REGISTRY
from synctalk_gateway.protocol import packet_limits
from synctalk_gateway.protocol.packet_limits import PacketLimit, ReadPace, UserLimit, UserLimits
from synctalk_gateway.settings import Settings


def settings_of(**limits: float) -> Settings:
    nowhere = {"internal_secret": "x" * 16, "redis_url": "redis://x", "rabbitmq_url": "amqp://x"}
    return Settings(**nowhere, **limits)  # type: ignore[arg-type]


def send(limit: PacketLimit, per_s: int, *, from_s: float, to_s: float) -> int:
    """Return how many packets were admitted."""
    count = round((to_s - from_s) * per_s)
    return sum(limit.take(from_s + number / per_s) for number in range(count))


def known_limit(settings: Settings) -> PacketLimit:
    """Return the limit of a socket whose user is known."""
    limit = PacketLimit(settings, now=0)
    limit.share(UserLimit(settings, now=0))
    return limit


# ── a socket ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_limit__of_packets__admits_a_burst_and_its_rate() -> None:
    limit = known_limit(settings_of())
    assert send(limit, 1_000, from_s=0, to_s=10) == 2_500 + 10 * 50 - 1


def test_limit__of_packets_before_the_user_is_known__is_small() -> None:
    limit = PacketLimit(settings_of(), now=0)
    assert sum(limit.take(0) for _ in range(1_000)) == 200


def test_limit__of_packets_before_the_user_is_known__slows_reading_too() -> None:
    limit = PacketLimit(settings_of(refused_packet_rate_per_s=100), now=0)
    for _ in range(250):
        limit.take(0)
    assert limit.pause_s(0, now=0) == 0.5
    assert limit.pause_s(0, now=0) == 0


def test_excess__at_once__is_no_flood_and_is_counted() -> None:
    limit = known_limit(settings_of())
    refused = REGISTRY.get_sample_value("gateway_packets_refused_total") or 0
    assert sum(limit.take(0) for _ in range(7_500)) == 2_500
    assert REGISTRY.get_sample_value("gateway_packets_refused_total") == refused + 5_000
    assert limit.is_exceeded(0.49)
    assert not limit.is_flood
    assert not limit.is_exceeded(0.5)


def test_excess__of_one_packet_more_than_is_read_at_once__is_a_flood() -> None:
    limit = known_limit(settings_of())
    assert sum(limit.take(0) for _ in range(7_501)) == 2_500
    assert limit.is_flood


def test_excess__that_goes_on__is_a_flood() -> None:
    limit = known_limit(settings_of())
    send(limit, 2_500, from_s=0, to_s=2)
    assert not limit.is_flood
    send(limit, 2_500, from_s=2, to_s=5)
    assert limit.is_flood


def test_excess__with_calm_between__is_no_flood() -> None:
    limit = known_limit(settings_of(packet_burst=100))
    for second in range(100):
        for _ in range(240):
            limit.take(second)
    assert not limit.is_flood


def test_excess__of_a_client_only_too_fast__is_never_a_flood() -> None:
    limit = known_limit(settings_of(packet_burst=100, flood_packets=1_000))
    send(limit, 240, from_s=0, to_s=200)
    assert not limit.is_flood


def test_excess__a_little_beyond_four_times_the_rate__is_a_flood_at_last() -> None:
    limit = known_limit(settings_of(packet_burst=100, flood_packets=1_000))
    send(limit, 300, from_s=0, to_s=30)
    assert limit.is_flood


# ── the pace ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pace__adds_up_for_all_who_share_it_and_is_over_with_time() -> None:
    pace = ReadPace(100)
    assert pace.pause_s(50, now=10) == pytest.approx(0.5)
    assert pace.pause_s(100, now=10.25) == pytest.approx(1.25)
    assert pace.pause_s(1, now=20) == pytest.approx(0.01)


def test_read__without_refused_packets__is_followed_by_the_next() -> None:
    limit = known_limit(settings_of(packet_burst=10))
    assert all(limit.take(0) for _ in range(10))
    assert limit.pause_s(0, now=0) == 0


def test_read__with_refused_or_dropped_packets__is_followed_by_a_pause_for_them() -> None:
    limit = known_limit(settings_of(packet_burst=10, refused_packet_rate_per_s=100))
    for _ in range(15):
        limit.take(0)
    assert limit.pause_s(5, now=0) == pytest.approx(0.1)
    assert limit.pause_s(0, now=0) == 0


def test_pauses__of_the_sockets_of_one_user__add_up() -> None:
    settings = settings_of(packet_burst=1, refused_packet_rate_per_s=100)
    user = UserLimit(settings, now=0)
    sockets = [PacketLimit(settings, now=0) for _ in range(2)]
    for socket in sockets:
        socket.share(user)
        for _ in range(11):
            socket.take(0)
    assert [socket.pause_s(0, now=0) for socket in sockets] == pytest.approx([0.1, 0.2])


# ── a user ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_user__on_many_sockets__has_one_burst() -> None:
    settings = settings_of(user_packet_burst=3_000)
    user = UserLimit(settings, now=0)
    admitted = []
    for _ in range(3):
        socket = PacketLimit(settings, now=0)
        socket.share(user)
        admitted.append(sum(socket.take(0) for _ in range(2_000)))
    assert admitted == [2_000, 1_000, 0]


def flood(settings: Settings, user: UserLimit, now: float) -> None:
    """Open a socket, send until it is closed."""
    socket = PacketLimit(settings, now)
    socket.share(user)
    while not socket.is_flood:
        socket.take(now)


def test_user__whose_sockets_flood_again_and_again__is_blocked_for_a_while() -> None:
    settings = settings_of(flood_block_s=60)
    user = UserLimit(settings, now=0)
    for _ in range(3):
        flood(settings, user, now=0)
        assert not user.is_blocked(0)
    flood(settings, user, now=1)
    assert user.is_blocked(1)
    assert user.is_blocked(60.9)
    assert not user.is_blocked(61)


def test_user__who_floods_once_a_minute__is_not_blocked() -> None:
    settings = settings_of(flood_block_s=60)
    user = UserLimit(settings, now=0)
    for minute in range(10):
        flood(settings, user, now=minute * 60)
        assert not user.is_blocked(minute * 60)


def test_socket__counted_as_flooding__is_counted_once() -> None:
    settings = settings_of(packet_burst=1, flood_packets=1)
    user = UserLimit(settings, now=0)
    socket = PacketLimit(settings, now=0)
    socket.share(user)
    for _ in range(100):
        socket.take(0)
    assert not user.is_blocked(0)


def test_users__more_than_are_remembered__forget_who_was_away_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_limits, "MAX_USERS", 2)
    users = UserLimits(settings_of())
    ada, bob = users.of("ada", 0), users.of("bob", 0)
    assert users.of("ada", 0) is ada
    users.of("eve", 0)
    assert users.of("ada", 0) is ada
    assert users.of("bob", 0) is not bob
