"""The second part of the interface: its rows and points about channels, invites, moderation and one's own list."""

from datetime import UTC, datetime, timedelta
from typing import Any

from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import request

from tests.e2e.test_push import data, phone_of
from tests.e2e.test_team_interface import group_of, refused
from tests.e2e.test_threads import at, receives

NO_ONE = "00000000-0000-7000-8000-00000000ffff"


def later(**ahead: int) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


def of(group: dict[str, Any], beyond: str = "") -> str:
    return f"/v1/conversations/{group['id']}{beyond}"


async def test_team_channels_1__details__are_set_at_the_beginning_and_by_patch__moderators_some(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    given = {
        "visibility": "public",
        "description": "About tides",
        "avatar_url": "https://example.org/a.png",
        "posting": "admins",
        "history": "since_joined",
        "slow_mode_s": 5,
        "metadata": {"topic": 1},
    }
    group = await group_of(ada, bob, eve, **given)
    assert {name: group[name] for name in given} == given
    await ada.patch(of(group, f"/members/{bob.id}"), {"role": "moderator"})
    for field, value in (("posting", "everyone"), ("slow_mode_s", 0), ("description", "")):
        assert (await bob.patch(of(group), {field: value}))[field] == value
    for field in ("title", "visibility", "history", "avatar_url", "metadata"):
        assert await refused(bob, "PATCH", of(group), {field: given.get(field, "New")}) == (403, "forbidden")
    assert await refused(eve, "PATCH", of(group), {"description": "x"}) == (403, "forbidden")


async def test_team_channels_2__public_groups__are_listed_and_joined(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    word = new_name().replace("_", "x").replace("-", "y")
    small = await group_of(ada, visibility="public", title=f"Small {word}")
    large = await group_of(ada, bob, visibility="public", title=f"Large {word}")
    hidden = await group_of(ada, title=f"Private {word}")
    listed = (await eve.get(f"/v1/channels?search={word}"))["items"]

    assert [(each["id"], each["members_count"], each["joined"]) for each in listed] == [
        (large["id"], 2, False),
        (small["id"], 1, False),
    ]
    assert (await eve.post(of(large, "/join")))["members_count"] == 3
    assert await refused(eve, "POST", of(hidden, "/join")) == (404, "not_found")
    await ada.put(of(small, f"/bans/{eve.id}"), {})
    assert await refused(eve, "POST", of(small, "/join")) == (403, "forbidden")


async def test_team_channels_3__invites__are_made_shown_and_accepted(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group = await group_of(ada, bob)
    made = await ada.request("POST", of(group, "/invites"), json={"expires_in_s": 3_600, "max_uses": 2})
    assert (made.status, made.body["max_uses"], made.body["uses"]) == (201, 2, 0)
    code = made.body["code"]
    assert code in made.body["url"]
    assert await refused(bob, "POST", of(group, "/invites"), {}) == (403, "forbidden")
    shown = await request(users.http, "GET", f"{users.base_url}/v1/invites/{code}")
    assert (shown.status, shown.body) == (200, {"title": "A group", "members_count": 2, "avatar_url": None})
    assert (await eve.request("POST", f"/v1/invites/{code}/accept")).body["members_count"] == 3
    (listed,) = (await ada.get(of(group, "/invites")))["items"]
    assert (listed["code"], listed["uses"]) == (code, 1)
    assert (await ada.request("DELETE", of(group, f"/invites/{code}"))).status == 204
    assert (await request(users.http, "GET", f"{users.base_url}/v1/invites/{code}")).status == 404


async def test_team_channels_4__ban__removes_and_keeps_out_whichever_way_in(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group = await group_of(ada, bob, eve, visibility="public")
    code = (await ada.post(of(group, "/invites"), {}))["code"]
    live = await eve.connect()
    assert await refused(bob, "PUT", of(group, f"/bans/{eve.id}"), {}) == (403, "forbidden")
    assert (await ada.request("PUT", of(group, f"/bans/{eve.id}"), json={"reason": "rude"})).status == 204
    await live.receive("conversation:removed", {"id": group["id"]})

    for method, path, json in (
        ("POST", of(group, "/join"), None),
        ("POST", f"/v1/invites/{code}/accept", None),
    ):
        assert await refused(eve, method, path, json) == (403, "forbidden")
    assert await refused(ada, "POST", of(group, "/members"), {"user_ids": [eve.id]}) == (403, "forbidden")
    assert (await ada.request("DELETE", of(group, f"/bans/{eve.id}"))).status == 204
    assert (await eve.post(of(group, "/join")))["role"] == "member"


async def test_team_channels_5__muted_member__reads_and_does_not_write(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = await group_of(ada, bob)
    until = later(hours=1)
    assert (await ada.request("PUT", of(group, f"/members/{bob.id}/mute"), json={"until": until})).status == 204
    answer = await bob.request("POST", of(group, "/messages"), json={"client_message_id": new_name(), "body": "x"})
    assert (answer.status, answer.code) == (403, "forbidden")
    ends = datetime.fromisoformat(answer.body["error"]["details"]["until"])
    assert abs((ends - datetime.fromisoformat(until)).total_seconds()) < 0.01
    assert (await bob.get(of(group, "/messages")))["items"] == []
    assert (await ada.request("DELETE", of(group, f"/members/{bob.id}/mute"))).status == 204
    await bob.say(group["id"], "free again")


async def test_team_channels_6__archived_group__can_be_read__and_nothing_changes(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = await group_of(ada, bob)
    message = await bob.say(group["id"], "hello")
    assert await refused(bob, "PUT", of(group, "/archive")) == (403, "forbidden")
    assert (await ada.request("PUT", of(group, "/archive"))).status == 204
    assert (await bob.get(at(message)))["body"] == "hello"
    new = {"client_message_id": new_name(), "body": "x"}
    assert await refused(bob, "POST", of(group, "/messages"), new) == (403, "forbidden")
    assert (await ada.request("DELETE", of(group, "/archive"))).status == 204
    assert (await bob.post(of(group, "/messages"), new))["body"] == "x"


async def test_team_channels_7__report__is_once_a_user_and_message(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    message = await ada.say((await ada.direct_with(bob))["id"], "rude")

    for reason in ("spam", "spam", "other"):
        assert (await bob.request("POST", f"{at(message)}/report", json={"reason": reason})).status == 204


async def test_team_channels_8__blocked__finds_no_direct_conversation__and_pushes_nothing(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    direct, group = await ada.direct_with(bob), await group_of(ada, bob, eve)
    phone = await phone_of(ada)
    assert (await ada.request("PUT", f"/v1/users/me/blocks/{bob.id}")).status == 204
    new = {"client_message_id": new_name(), "body": "x"}
    assert await refused(bob, "POST", of(direct, "/messages"), new) == (404, "not_found")
    (presence,) = (await bob.get(f"/v1/presence?user_ids={ada.id}"))["items"]
    assert (presence["status"], presence["last_seen_at"]) == ("offline", None)
    await bob.say(group["id"], "not pushed")
    assert [user["id"] for user in (await ada.get("/v1/users/me/blocks"))["items"]] == [bob.id]
    shown = await eve.say(group["id"], "pushed")
    await phone.gets(shown)
    assert [data(push)["message_id"] for push in await phone.pushes()] == [shown["id"]]
    assert (await ada.request("DELETE", f"/v1/users/me/blocks/{bob.id}")).status == 204
    assert (await bob.request("POST", of(direct, "/messages"), json=new)).status == 201


async def test_team_channels_9__own_state__pinned_and_hidden__reaches_ones_other_sockets(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = await group_of(ada, bob)
    mine, theirs = await bob.connect(), await ada.connect()
    pinned = await bob.patch(of(group, "/me"), {"pinned": True, "hidden": True})

    assert None not in (pinned["me"]["pinned_at"], pinned["me"]["hidden_at"])
    assert (await receives(mine, "conversation:updated"))["me"] == pinned["me"]
    message = await ada.say(group["id"], "back again")
    await receives(mine, "message:new", id=message["id"])
    assert (await bob.get(of(group)))["me"]["hidden_at"] is None
    assert theirs.of("conversation:updated") == []


async def test_team_channels_10__group__is_deleted_by_its_owner__for_all(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = await group_of(ada, bob)
    live = await bob.connect()
    assert await refused(bob, "DELETE", of(group)) == (403, "forbidden")
    assert (await ada.request("DELETE", of(group))).status == 204
    await live.receive("conversation:removed", {"id": group["id"]})
    for user in (ada, bob):
        assert await refused(user, "GET", of(group)) == (404, "not_found")


async def test_team_point_01__limit_of_a_conversation__is_off_by_default(users: Users) -> None:
    made = await users.register_all(*"ABCD")
    group = await made[0].group_with(*made[1:])
    answers = [
        await user.request("POST", of(group, "/messages"), json={"client_message_id": new_name(), "body": "x"})
        for _ in range(15)
        for user in made
    ]
    assert {answer.status for answer in answers} == {201}


async def test_team_point_09__while_blocked__the_blocked_reads_and_the_blocker_may_not_write(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    direct = await ada.direct_with(bob)
    message, theirs = await bob.say(direct["id"], "mine"), await ada.say(direct["id"], "hers")
    group = await group_of(bob, eve)
    await ada.put(f"/v1/users/me/blocks/{bob.id}")

    for body in ({"type": "direct", "member_ids": [ada.id]}, {"type": "group", "title": "x", "member_ids": [ada.id]}):
        assert await refused(bob, "POST", "/v1/conversations", body) == (422, "invalid")
    assert await refused(bob, "POST", of(group, "/members"), {"user_ids": [ada.id]}) == (422, "invalid")
    assert len((await bob.get(of(direct, "/messages")))["items"]) == 2
    for method, path, json in (
        ("PATCH", at(message), {"body": "x"}),
        ("PUT", f"{at(theirs)}/reactions/👍", None),
        ("PUT", f"{at(theirs)}/pin", None),
    ):
        assert await refused(bob, method, path, json) == (404, "not_found")
    live = await bob.connect()
    typing = await live.refusal("typing:start", {"conversation_id": direct["id"]})
    assert typing["code"] == "not_found"
    new = {"client_message_id": new_name(), "body": "x"}
    assert await refused(ada, "POST", of(direct, "/messages"), new) == (403, "forbidden")
    assert await refused(ada, "PUT", f"/v1/users/me/blocks/{ada.id}") == (422, "invalid")
    assert await refused(ada, "PUT", f"/v1/users/me/blocks/{NO_ONE}") == (404, "not_found")
    assert (await ada.get("/v1/users/me/blocks")).keys() == {"items", "next_cursor"}
    await ada.delete(f"/v1/users/me/blocks/{bob.id}")
    assert (await ada.post(of(direct, "/messages"), new))["body"] == "x"


async def test_team_point_19__in_an_archive__marks_and_leaving_work__and_joining_does_not(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group = await group_of(ada, bob, visibility="public", title=f"Tides {new_name()}")
    code = (await ada.post(of(group, "/invites"), {}))["code"]
    message = await bob.say(group["id"], "hello")
    live = await bob.connect()
    await ada.put(of(group, "/archive"))
    archived_at = (await receives(live, "conversation:updated"))["archived_at"]

    for method, path, json in (
        ("PUT", f"{at(message)}/reactions/👍", None),
        ("PATCH", at(message), {"body": "x"}),
        ("PUT", f"{at(message)}/pin", None),
        ("PATCH", of(group), {"title": "x"}),
        ("POST", of(group, "/members"), {"user_ids": [eve.id]}),
    ):
        answer = (
            await ada.request(method, path, json=json)
            if path == of(group)
            else await bob.request(method, path, json=json)
        )
        assert (answer.status, answer.body["error"]["details"]) == (403, {"archived_at": archived_at})
    assert (await eve.request("POST", of(group, "/join"))).status == 403
    assert (await eve.request("POST", f"/v1/invites/{code}/accept")).status in (403, 404)
    assert (await eve.get(f"/v1/channels?search={group['title'].split()[1]}"))["items"] == []
    await ada.post(of(group, "/read"), {"seq": 1})
    await ada.put(f"{at(message)}/follow")
    await ada.patch(of(group, "/me"), {"pinned": True})
    await ada.put(f"/v1/notification-settings/{group['id']}", {"level": "none"})
    await ada.post(f"{at(message)}/report", {"reason": "spam"})
    await bob.delete(at(message))
    await bob.delete(of(group, f"/members/{bob.id}"))
    assert (await ada.get(of(group)))["members_count"] == 1


async def test_team_point_20__roles__in_their_order__and_who_follows_an_owner(users: Users) -> None:
    ada, bob, cyd, dan = await users.register_all("Ada", "Bob", "Cyd", "Dan")
    group = await group_of(ada, bob, cyd, dan)
    await ada.patch(of(group, f"/members/{bob.id}"), {"role": "moderator"})
    await ada.patch(of(group, f"/members/{cyd.id}"), {"role": "admin"})
    of_dan, of_cyd = await dan.say(group["id"], "hi"), await cyd.say(group["id"], "hi")

    assert (await bob.request("DELETE", at(of_dan))).status == 204
    assert await refused(bob, "DELETE", at(of_cyd)) == (403, "forbidden")
    assert await refused(bob, "PUT", of(group, f"/bans/{cyd.id}"), {}) == (403, "forbidden")
    assert await refused(bob, "DELETE", of(group, f"/members/{dan.id}")) == (403, "forbidden")
    assert await refused(cyd, "PATCH", of(group, f"/members/{dan.id}"), {"role": "moderator"}) == (403, "forbidden")
    mine = await dan.say(group["id"], "mine")
    await bob.patch(of(group), {"posting": "admins"})
    for fields in ({}, {"thread_id": of_cyd["id"]}):
        new = {"client_message_id": new_name(), "body": "x"} | fields
        assert await refused(dan, "POST", of(group, "/messages"), new) == (403, "forbidden")
    await dan.put(f"{at(of_cyd)}/reactions/👍")
    await dan.patch(at(mine), {"body": "edited"})
    await dan.delete(at(mine))
    await bob.say(group["id"], "moderators send")
    await ada.delete(of(group, f"/members/{ada.id}"))
    assert (await cyd.get(of(group)))["role"] == "owner"


async def test_team_point_21__mute__stops_writing_of_every_kind__and_is_seen_by_all(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group, direct = await group_of(ada, bob), await ada.direct_with(bob)
    message = await bob.say(group["id"], "mine")
    live = await bob.connect()
    await ada.put(of(group, f"/members/{bob.id}/mute"), {"until": None})
    changed = await receives(live, "member:changed", user_id=bob.id)
    members = (await ada.get(of(group, "/members")))["items"]

    by_id = {each["user"]["id"]: each["muted_until"] for each in members}
    assert (by_id[ada.id], by_id[bob.id]) == (None, changed["muted_until"])
    assert changed["muted_until"] is not None
    for method, path, json in (
        ("PATCH", at(message), {"body": "x"}),
        ("PUT", f"{at(message)}/reactions/👍", None),
        ("PUT", f"{at(message)}/pin", None),
        ("POST", of(group, "/members"), {"user_ids": [eve.id]}),
    ):
        assert await refused(bob, method, path, json) == (403, "forbidden")
    assert (await live.refusal("typing:start", {"conversation_id": group["id"]}))["code"] == "forbidden"
    await bob.delete(at(message))
    await bob.post(of(group, "/read"), {"seq": 1})
    past = of(group, f"/members/{bob.id}/mute")
    assert await refused(ada, "PUT", past, {"until": later(seconds=-5)}) == (422, "invalid")
    assert await refused(ada, "PUT", of(group, f"/members/{ada.id}/mute"), {"until": None}) == (403, "forbidden")
    assert await refused(ada, "PUT", of(group, f"/members/{eve.id}/mute"), {"until": None}) == (404, "not_found")
    assert await refused(ada, "PUT", of(direct, f"/members/{bob.id}/mute"), {"until": None}) == (403, "forbidden")
    await bob.delete(of(group, f"/members/{bob.id}"))


async def test_team_point_22__bans__are_listed_replaced_and_end_by_themselves(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    private, public, direct = (
        await group_of(ada, bob),
        await group_of(ada, visibility="public"),
        await ada.direct_with(bob),
    )
    for group in (private, public):
        await ada.put(of(group, f"/bans/{eve.id}"), {"reason": "rude"})
    (ban,) = (await ada.get(of(private, "/bans")))["items"]
    assert ban.keys() == {"user", "by", "reason", "until", "created_at"}
    assert (ban["user"]["id"], ban["by"], ban["reason"], ban["until"]) == (eve.id, ada.id, "rude", None)
    assert await refused(bob, "GET", of(private, "/bans")) == (403, "forbidden")
    assert await refused(eve, "POST", of(private, "/join")) == (404, "not_found")
    assert await refused(eve, "POST", of(public, "/join")) == (403, "forbidden")
    assert await refused(ada, "PUT", of(direct, f"/bans/{bob.id}"), {}) == (403, "forbidden")
    until = later(milliseconds=900)
    await ada.put(of(public, f"/bans/{eve.id}"), {"reason": "calmer", "until": until})
    (ban,) = (await ada.get(of(public, "/bans")))["items"]
    assert (ban["reason"], ban["until"] is None) == ("calmer", False)
    assert (await ada.request("DELETE", of(private, f"/bans/{bob.id}"))).status == 204
    assert (await _joined_once_over(eve, public))["role"] == "member"


async def _joined_once_over(user: User, group: dict[str, Any]) -> dict[str, Any]:
    async def joined() -> Any:
        answer = await user.request("POST", of(group, "/join"))
        return answer.body if answer.status == 200 else None

    found: dict[str, Any] = await eventually(joined)
    return found


async def test_team_point_23__invites__have_bounds__and_a_last_use(users: Users) -> None:
    ada, bob, eve, cyd = await users.register_all("Ada", "Bob", "Eve", "Cyd")
    group, direct = await group_of(ada, bob), await ada.direct_with(bob)
    invites = of(group, "/invites")
    for bad in ({"expires_in_s": 59}, {"expires_in_s": 31_536_001}, {"max_uses": 0}, {"max_uses": 10_001}):
        assert await refused(ada, "POST", invites, bad) == (422, "invalid")
    assert await refused(ada, "POST", of(direct, "/invites"), {}) == (403, "forbidden")
    code = (await ada.post(invites, {"max_uses": 1}))["code"]
    lasting = (await ada.post(invites, {}))["expires_at"]
    assert (await bob.request("POST", f"/v1/invites/{code}/accept")).status == 200
    answers = [await user.request("POST", f"/v1/invites/{code}/accept") for user in (eve, cyd)]
    assert [answer.status for answer in answers] == [200, 404]
    assert lasting is None
    listed = await ada.get(invites)
    assert listed.keys() == {"items", "next_cursor"}
    assert [(each["created_by"], each["uses"]) for each in listed["items"]] == [(ada.id, 0)]
    assert await refused(bob, "GET", invites) == (403, "forbidden")
    assert (await ada.request("DELETE", of(group, "/invites/unknown-code"))).status == 204


async def test_team_point_24__channel__shows_nothing_of_messages__and_joins_live(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group = await group_of(ada, bob, visibility="public", title=f"Tides {new_name()}")
    message = await ada.say(group["id"], "inside")
    (listed,) = (await eve.get(f"/v1/channels?search={group['title'].split()[1]}"))["items"]
    assert listed.keys() == {"id", "title", "description", "avatar_url", "members_count", "created_at", "joined"}
    for path in (of(group), of(group, "/messages"), of(group, "/members"), at(message)):
        assert await refused(eve, "GET", path) == (404, "not_found")
    of_eve, of_bob = await eve.connect(), await bob.connect()
    await eve.post(of(group, "/join"))
    await receives(of_eve, "conversation:new", id=group["id"])
    await receives(of_bob, "member:changed", user_id=eve.id, role="member")
    assert (await eve.request("POST", of(group, "/join"))).status == 200
    direct = await ada.direct_with(bob)
    assert await refused(ada, "PATCH", of(direct), {"visibility": "public"}) == (422, "invalid")


async def test_team_point_29__list__leaves_out_what_is_hidden__and_slow_mode_is_each_ones_own(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group, direct = await group_of(ada, bob), await ada.direct_with(bob)
    await bob.patch(of(group, "/me"), {"hidden": True})
    assert [each["id"] for each in (await bob.get("/v1/conversations"))["items"]] == [direct["id"]]
    assert [each["id"] for each in (await bob.get("/v1/conversations?hidden=true"))["items"]] == [group["id"]]
    root = await ada.say(group["id"], "back")
    assert (await bob.get("/v1/conversations?hidden=true"))["items"] == []
    await bob.patch(of(group, "/me"), {"hidden": True})
    await ada.say(group["id"], "in a thread", thread_id=root["id"])
    assert (await bob.get(of(group)))["me"]["hidden_at"] is not None
    await ada.patch(of(group), {"slow_mode_s": 30})
    mine = await bob.say(group["id"], "one")
    answer = await bob.request(
        "POST", of(group, "/messages"), json={"client_message_id": new_name(), "body": "two", "thread_id": root["id"]}
    )
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert 0 < answer.body["error"]["retry_after"] <= 30
    await bob.patch(at(mine), {"body": "edited"})
    await ada.say(group["id"], "the owner does not wait")
    await ada.say(group["id"], "at all")
    assert await refused(ada, "DELETE", of(direct)) == (403, "forbidden")
    cursor = (await bob.get(of(group)))["change_seq"]
    await ada.delete(of(group))
    synced = (await bob.post("/v1/sync", {"cursors": {group["id"]: cursor}}))["conversations"]
    assert synced == {group["id"]: {"removed": True}}
    assert await refused(ada, "DELETE", of(group)) == (404, "not_found")
