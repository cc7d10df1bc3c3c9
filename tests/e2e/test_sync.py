"""`sync`: old state plus what came equals a fresh load, by socket and by REST."""

from typing import Any

from synctalk_systemtest.beside import beside
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, User, Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.follower import follow, history

UNKNOWN = "01890000-0000-7000-8000-000000000000"


async def by_rest(user: User, cursors: dict[str, int]) -> dict[str, Any]:
    answer = await user.post("/v1/sync", {"cursors": cursors})
    assert answer.keys() == {"conversations"}
    conversations: dict[str, Any] = answer["conversations"]
    return conversations


async def by_socket(live: LiveSocket, cursors: dict[str, int]) -> dict[str, Any]:
    conversations: dict[str, Any] = (await live.done("sync", {"cursors": cursors}))["conversations"]
    return conversations


async def test_sync__for_who_is_no_member__is_removed_whether_it_exists_or_not(users: Users) -> None:
    ada, eve = await users.register_all("Ada", "Eve")
    group = (await ada.group_with())["id"]
    live = await eve.connect()
    wanted = {group: {"removed": True}, UNKNOWN: {"removed": True}}

    assert await by_rest(eve, {group: 0, UNKNOWN: 0}) == wanted
    assert await by_socket(live, {group: 0, UNKNOWN: 0}) == wanted


async def test_sync__from_zero__is_everything_as_it_is_now(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await ada.group_with(bob))["id"]
    live = await bob.connect()
    first, second = await ada.say(group, "first"), await ada.say(group, "second")
    await ada.delete(f"/v1/conversations/{group}/messages/{first['id']}")
    await ada.patch(f"/v1/conversations/{group}", {"title": "Renamed"})
    answer = (await by_socket(live, {group: 0}))[group]

    assert answer.keys() == {"messages", "members", "conversation", "change_seq", "more"}
    assert [message["id"] for message in answer["messages"]] == [second["id"], first["id"]]
    assert sorted(answer["messages"], key=lambda m: m["seq"]) == await history(bob, group)
    assert {(m["user"]["id"], m["role"]) for m in answer["members"]} == {(ada.id, "owner"), (bob.id, "member")}
    assert answer["conversation"] == await bob.get(f"/v1/conversations/{group}")
    assert (answer["change_seq"], answer["more"]) == (answer["conversation"]["change_seq"], False)
    assert (await by_rest(bob, {group: 0}))[group] == answer


async def test_sync__from_a_cursor__is_only_what_changed_since(users: Users) -> None:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    group = (await ada.group_with(bob, cy))["id"]
    old, touched = await ada.say(group, "old"), await ada.say(group, "touched")
    cursor = (await ada.get(f"/v1/conversations/{group}"))["change_seq"]
    await bob.put(f"/v1/conversations/{group}/messages/{touched['id']}/reactions/👍")
    await ada.delete(f"/v1/conversations/{group}/members/{cy.id}")
    answer = (await by_rest(bob, {group: cursor}))[group]

    assert [(m["id"], m["change_seq"], m["reactions"]) for m in answer["messages"]] == [
        (touched["id"], cursor + 1, {"👍": [bob.id]})
    ]
    assert [(m["user"]["id"], m["role"], m["change_seq"]) for m in answer["members"]] == [(cy.id, None, cursor + 2)]
    assert old["id"] not in {m["id"] for m in answer["messages"]}
    nothing = (await by_rest(bob, {group: answer["change_seq"]}))[group]
    assert (nothing["messages"], nothing["members"], nothing["more"]) == ([], [], False)
    assert (await by_rest(cy, {group: cursor}))[group] == {"removed": True}


async def test_sync__ahead_of_the_server__is_a_reset(users: Users) -> None:
    ada = await users.register()
    group = await ada.group_with()

    assert (await by_rest(ada, {group["id"]: 10**6}))[group["id"]] == {"reset": True, "change_seq": group["change_seq"]}


async def test_sync__over_a_hundred_messages__walks_on(users: Users) -> None:
    members = await users.register_all(*"ABCDEF")
    group = (await members[0].group_with(*members[1:]))["id"]
    for member in members:
        for number in range(18):
            await member.say(group, f"{number}")
    seen: list[dict[str, Any]] = []
    cursor, more = 0, True
    while more:
        answer = (await by_rest(members[1], {group: cursor}))[group]
        assert len(answer["messages"]) <= 100
        assert answer["change_seq"] > cursor
        seen += answer["messages"]
        cursor, more = answer["change_seq"], answer["more"]

    assert [message["seq"] for message in seen] == list(range(1, 109))
    assert seen == await history(members[0], group)


async def test_sync__many_conversations__answers_each_and_refuses_more_than_a_hundred(users: Users) -> None:
    ada = await users.register()
    live = await ada.connect()
    groups = [(await ada.group_with())["id"] for _ in range(3)]
    cursors = {f"01890000-0000-7000-8000-{number:012d}": 0 for number in range(101)}

    assert (await by_socket(live, dict.fromkeys(groups, 0))).keys() == set(groups)
    assert (await live.refusal("sync", {"cursors": cursors}))["code"] == "invalid"
    assert (await ada.request("POST", "/v1/sync", json={"cursors": cursors})).code == "invalid"


async def test_reconnect__after_an_absence__brings_all_of_it_once(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await ada.group_with(bob))["id"]
    of_bob = await follow(bob)
    await ada.say(group, "received live")
    await eventually(lambda: of_bob.bodies(group) == ["received live"])
    await of_bob.client.disconnect()
    missed = await ada.say(group, "missed")
    await ada.patch(f"/v1/conversations/{group}/messages/{missed['id']}", {"body": "missed, and edited"})
    await of_bob.connect()
    await eventually(lambda: of_bob.bodies(group) == ["received live", "missed, and edited"])
    last = await ada.say(group, "live again")

    await eventually(lambda: of_bob.states(group)[-1:] == [last])
    assert of_bob.states(group) == await history(bob, group)
    assert of_bob.strict_faults == []


async def test_ready__lists_every_conversation_with_its_state(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    groups = [(await ada.group_with(bob))["id"] for _ in range(3)]
    await bob.say(groups[0], "the newest")
    live = await ada.connect()
    ready = live.of("ready")[0]
    listed = (await ada.get("/v1/conversations"))["items"]

    assert ready.keys() == {"user_id", "session_id", "connection_id", "server_time", "conversations", "more"}
    assert (ready["user_id"], ready["session_id"], ready["more"]) == (ada.id, ada.session_id, False)
    assert ready["server_time"].endswith("Z")
    assert ready["conversations"] == [{key: item[key] for key in ("id", "last_seq", "change_seq")} for item in listed]
    assert live.events[0].event == "ready"


async def test_ready__of_more_conversations_than_it_lists__says_so(users: Users, stack: RunningStack) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    groups = [(await ada.group_with(bob))["id"] for _ in range(3)]
    with beside(stack, "gateway-1", {"READY_CONVERSATIONS": "2"}) as url:
        live = await bob.connect(at=url)
        message = await ada.say(groups[0], "in the one that is not listed")
        await live.receive("message:new", message)
        await live.close()
    ready = live.of("ready")[0]

    assert [conversation["id"] for conversation in ready["conversations"]] == [groups[2], groups[1]]
    assert ready["more"] is True
