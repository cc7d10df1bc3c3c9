"""Typing of users with several sockets on several gateways, changed names, many receipts, deadlines of commands."""

from typing import TYPE_CHECKING

from structlog.testing import capture_logs
from synctalk_contracts import topology
from synctalk_contracts.models import User
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.clients import LiveSocket
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.integration.live.conftest import Live

ADA, BOB = new_id(), new_id()


def typing(live: LiveSocket) -> list[bool]:
    return [event["active"] for event in live.of("typing")]


async def test_typing__in_two_tabs_on_two_gateways__goes_on_until_the_last_ends(live: "Live") -> None:
    await live.start()
    group = live.upstreams.conversation(ADA, BOB)
    first, second, bob = await live.connect(ADA, 0), await live.connect(ADA, 1), await live.connect(BOB, 0)
    await first.done("typing:start", {"conversation_id": group})
    await second.done("typing:start", {"conversation_id": group})
    await eventually(lambda: typing(bob) == [True, True])
    await first.close()
    await second.done("typing:stop", {"conversation_id": group})
    await eventually(lambda: typing(bob)[-1] is False)

    assert typing(bob) == [True, True, False]


async def test_typing__after_a_message__is_shown_at_once(live: "Live") -> None:
    group = live.upstreams.conversation(ADA, BOB)
    ada, bob = await live.connect(ADA), await live.connect(BOB)
    await ada.done("typing:start", {"conversation_id": group})
    await eventually(lambda: typing(bob) == [True])
    await ada.done("message:send", {"conversation_id": group, "client_message_id": "a", "body": "so"})
    await ada.done("typing:start", {"conversation_id": group})
    await live.upstreams.send(group, ADA, origin=ada.of("ready")[0]["connection_id"])
    await bob.wait_for("message:new")

    assert typing(bob) == [True, False, True]


async def test_typing__in_a_large_conversation__is_not_passed_on(live: "Live") -> None:
    large, small = live.upstreams.conversation(ADA, BOB), live.upstreams.conversation(ADA, BOB)
    live.upstreams.members_count[large] = 101
    ada, bob = await live.connect(ADA), await live.connect(BOB)
    await ada.done("typing:start", {"conversation_id": large})
    await ada.done("typing:start", {"conversation_id": small})
    await eventually(lambda: bool(typing(bob)))

    assert [event["conversation_id"] for event in bob.of("typing")] == [small]


async def test_name__changed__comes_once_however_many_conversations_are_shared(live: "Live") -> None:
    for _ in range(20):
        live.upstreams.conversation(ADA, BOB)
    ada, bob = await live.connect(ADA), await live.connect(BOB)
    await live.upstreams.rename(ADA, "Ada L.")
    for user in (await ada.wait_for("user:updated"), await bob.wait_for("user:updated")):
        assert User.model_validate(user) == User(id=ADA, username="ada", display_name="Ada L.", avatar_url=None)

    assert len(ada.of("user:updated")) == len(bob.of("user:updated")) == 1


async def test_receipts__of_many_conversations__are_acked_together(live: "Live") -> None:
    groups = [live.upstreams.conversation(ADA) for _ in range(200)]
    unrelated = live.upstreams.conversation(BOB)
    ada = await live.connect(ADA)
    ack = await ada.call("receipts", {"delivered": dict.fromkeys(groups, 1), "read": {groups[0]: 1, unrelated: 1}})

    assert ack["ok"] is True
    assert list(ack["failed"]) == [unrelated]
    assert ack["failed"][unrelated]["code"] == "not_found"
    assert sum(len(batch.requests) for batch in live.upstreams.batches) == 201
    assert all(batch.deadline is not None and batch.deadline > utc_now() for batch in live.upstreams.batches)


async def test_receipts__more_than_one_event_may_hold__is_invalid(live: "Live") -> None:
    ada = await live.connect(ADA)
    marks = {new_id(): 1 for _ in range(501)}

    assert (await ada.refusal("receipts", {"read": marks}))["code"] == "invalid"


async def test_activity__of_a_socket__is_known_to_presence_once_acked(live: "Live") -> None:
    ada = await live.connect(ADA)
    connection_id = ada.of("ready")[0]["connection_id"]
    reported = live.upstreams.active
    assert reported[connection_id] is True
    await ada.done("activity", {"active": False})
    assert reported[connection_id] is False
    await ada.done("activity", {"active": True})
    assert reported[connection_id] is True
    refused = await ada.call("activity", {"active": "no"})
    assert (refused["ok"], refused["error"]["code"]) == (False, "invalid")


async def test_activity__is_renewed_as_it_is_now(live: "Live") -> None:
    await live.start(lease_renewal_s=0.05)
    ada = await live.connect(ADA, 1)
    connection_id = ada.of("ready")[0]["connection_id"]
    await ada.done("activity", {"active": False})
    del live.upstreams.active[connection_id]
    await eventually(lambda: live.upstreams.active.get(connection_id) is False)


async def test_receipts__of_a_session__are_remembered_for_its_device(live: "Live") -> None:
    one, two, three = (live.upstreams.conversation(ADA) for _ in range(3))
    unrelated = live.upstreams.conversation(BOB)
    ada = await live.connect(ADA)
    session_id = ada.of("ready")[0]["session_id"]
    await ada.done("receipt:delivered", {"conversation_id": one, "seq": 7})
    await ada.done("receipt:delivered", {"conversation_id": one, "seq": 5})
    await ada.done("receipt:read", {"conversation_id": two, "seq": 3})
    await ada.call("receipts", {"delivered": {three: 2, unrelated: 9}, "read": {}})
    key = topology.delivered_key(session_id)

    async def remembered() -> bool:
        names = await live.redis.zrange(key, 0, -1)
        return len(names) == 3 and await live.redis.zmscore(key, [one, two, three]) == [7, 3, 2]

    await eventually(remembered)
    assert 0 < await live.redis.ttl(key) <= 120


async def test_presence_set__beyond_the_limit_of_presence__says_when_again(live: "Live") -> None:
    ada = await live.connect(ADA)
    await ada.done("presence:set", {"status": "dnd"})
    live.upstreams.sets_presence = False
    error = await ada.refusal("presence:set", {"status": "away"})
    assert (error["code"], error["retry_after"]) == ("rate_limited", 0.7)


async def test_leases__presence_is_away__is_logged_once_however_often_it_is_tried(live: "Live") -> None:
    await live.start(lease_renewal_s=0.05)
    ada = await live.connect(ADA, 1)
    connection_id = ada.of("ready")[0]["connection_id"]
    with capture_logs() as logs:
        live.upstreams.answers = False
        await eventually(lambda: live.upstreams.refused["/internal/presence/leases"] >= 4)
        live.upstreams.active.clear()
        live.upstreams.answers = True
        await eventually(lambda: connection_id in live.upstreams.active)
        await eventually(lambda: any(log["event"] == "leases.reported_again" for log in logs))
    events = [log["event"] for log in logs if log["event"].startswith("leases.")]
    assert events == ["leases.not_reported", "leases.reported_again"]
