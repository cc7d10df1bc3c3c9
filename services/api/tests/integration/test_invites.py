"""Invites: who may make one, what everybody sees of it, and coming in by it."""

import asyncio
import base64

import pytest
from synctalk_contracts import topology
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response

from services.api.tests.integration.conftest import Api, Json, Start, User


def place(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}"


async def invite(user: User, group: Json, **fields: int) -> Json:
    made: Json = await user.post(f"{place(group)}/invites", fields)
    return made


async def accept(user: User, code: str) -> Response:
    return await user.call("POST", f"/v1/invites/{code}/accept")


async def preview(api: Api, code: str) -> Response:
    return await api.service.call("GET", f"/v1/invites/{code}")


async def end(api: Api, code: str) -> None:
    """Let the invite have ended a while ago."""
    await api.sql("update invites set expires_at = now() - interval '1 second' where code = $1", code)


async def test_invites__are_an_admins(api: Api) -> None:
    ada, ben, cleo, dan, eve = await api.users(5)
    group = await ada.group(ben, cleo, dan)
    for user, role in ((ben, "admin"), (cleo, "moderator")):
        await ada.patch(f"{place(group)}/members/{user.id}", {"role": role})
    made = await invite(ben, group)

    for user, status in ((cleo, 403), (dan, 403), (eve, 404)):
        responses = [
            await user.call("POST", f"{place(group)}/invites", {}),
            await user.call("GET", f"{place(group)}/invites"),
            await user.call("DELETE", f"{place(group)}/invites/{made['code']}"),
        ]
        assert {response.status for response in responses} == {status}
    assert (await accept(eve, made["code"])).status == 200


async def test_invites__into_a_direct_conversation__are_refused(api: Api) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)

    assert (await ada.call("POST", f"{place(direct)}/invites", {})).status == 403
    assert (await ada.call("GET", f"{place(direct)}/invites")).status == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"expires_in_s": 59}, "expires_in_s"),
        ({"expires_in_s": 31_536_001}, "expires_in_s"),
        ({"expires_in_s": "60"}, "expires_in_s"),
        ({"max_uses": 0}, "max_uses"),
        ({"max_uses": 10_001}, "max_uses"),
        ({"max_uses": 1.5}, "max_uses"),
        ({"code": "mine"}, "code"),
    ],
)
async def test_create__bad_input__is_refused(api: Api, body: Json, field: str) -> None:
    ada = await api.user()
    group = await ada.group()

    assert (await ada.call("POST", f"{place(group)}/invites", body)).fields == {field}


async def test_create__beyond_the_bound__is_refused(start_api: Start) -> None:
    async with start_api(invites_max=2) as api:
        ada = await api.user()
        group = await ada.group()
        first, _ = [await invite(ada, group) for _ in range(2)]

        response = await ada.call("POST", f"{place(group)}/invites", {})
        await ada.call("DELETE", f"{place(group)}/invites/{first['code']}")

        assert (response.status, response.code) == (409, "conflict")
        assert (await ada.call("POST", f"{place(group)}/invites", {})).status == 201


async def test_create__answers_what_it_is_good_for(start_api: Start, api: Api) -> None:
    ada = await api.user()
    group = await ada.group()
    lasting = await invite(ada, group)
    bounded = await invite(ada, group, expires_in_s=60, max_uses=10_000)

    assert lasting == {
        "code": lasting["code"],
        "url": f"{api.service.url}/invite/{lasting['code']}",
        "expires_at": None,
        "max_uses": None,
        "uses": 0,
        "created_by": ada.id,
        "created_at": lasting["created_at"],
    }
    assert (bounded["max_uses"], bounded["expires_at"] > bounded["created_at"]) == (10_000, True)
    async with start_api(beside=api, public_url="https://chat.example.org") as public:
        user = User(public.service, public.auth.tokens, ada.id, profile=ada.profile)
        assert (await invite(user, group))["url"].startswith("https://chat.example.org/invite/")


async def test_list__has_those_that_are_good_oldest_first(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group()
    made = [await invite(ada, group) for _ in range(5)]
    used, ended, deleted = await invite(ada, group, max_uses=1), await invite(ada, group), await invite(ada, group)
    await accept(ben, used["code"])
    await end(api, ended["code"])
    for _ in range(2):
        path = f"{place(group)}/invites/{deleted['code']}"
        assert (await ada.call("DELETE", path)).status == 204

    assert await ada.list(f"{place(group)}/invites", 2) == made


async def test_delete__of_another_groups_invite__is_left_alone(api: Api) -> None:
    ada, ben = await api.users(2)
    made = await invite(ada, await ada.group())
    own = await ben.group()

    assert (await ben.call("DELETE", f"{place(own)}/invites/{made['code']}")).status == 204
    assert (await preview(api, made["code"])).status == 200


async def test_preview__without_a_token__shows_the_group_and_no_more(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben, title="Gardening")
    await ada.patch(place(group), {"avatar_url": "https://example.com/a.png", "description": "secret"})
    made = await invite(ada, group)

    response = await preview(api, made["code"])

    assert (response.status, response.body) == (
        200,
        {"title": "Gardening", "members_count": 2, "avatar_url": "https://example.com/a.png"},
    )


async def test_invite__that_is_over_or_never_was__is_not_there(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group()
    used, ended, deleted = await invite(ada, group, max_uses=1), await invite(ada, group), await invite(ada, group)
    assert (await accept(ben, used["code"])).status == 200
    await end(api, ended["code"])
    await ada.call("DELETE", f"{place(group)}/invites/{deleted['code']}")
    other = base64.urlsafe_b64encode(bytes(16)).decode().rstrip("=")
    codes = [used["code"], ended["code"], deleted["code"], other, "x", "x" * 500, "%00", "ä", used["code"] + "A"]

    responses = [await preview(api, code) for code in codes] + [await accept(cleo, code) for code in codes]

    assert {(response.status, response.code) for response in responses} == {(404, "not_found")}
    assert (await ada.get(place(group)))["members_count"] == 2


async def test_accept__without_a_token__is_refused(api: Api) -> None:
    ada = await api.user()
    made = await invite(ada, await ada.group())

    assert (await api.service.call("POST", f"/v1/invites/{made['code']}/accept")).status == 401


async def test_accept__takes_a_change_and_a_use_and_is_published(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group()
    made = await invite(ada, group)
    await api.subscribe(group["id"])
    await api.redis.subscribe(topology.user_channel(ben.id))

    first, again = await accept(ben, made["code"]), await accept(ben, made["code"])

    assert first.status == again.status == 200
    assert first.body == again.body == await ben.get(place(group))
    await eventually(lambda: api.redis.room_events(group["id"]) and api.redis.user_events(ben.id))
    (event,) = api.redis.room_events(group["id"])
    assert (event.event, event.user_id, event.change_seq) == ("member:changed", ben.id, 2)
    assert [item["uses"] for item in await ada.list(f"{place(group)}/invites", 10)] == [1]


async def test_accept__by_a_member__uses_nothing_even_when_used_up(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group()
    made = await invite(ada, group, max_uses=1)

    assert (await accept(ada, made["code"])).status == 200
    assert (await accept(ben, made["code"])).status == 200
    assert (await accept(ben, made["code"])).status == 200


async def test_accept__by_the_banned_or_into_a_full_group__uses_nothing(start_api: Start) -> None:
    async with start_api(group_members_max=2) as api:
        ada, ben, cleo, eve = await api.users(4)
        group = await ada.group(ben)
        made = await invite(ada, group, max_uses=1)
        await ada.call("PUT", f"{place(group)}/bans/{eve.id}", {})

        banned, full = await accept(eve, made["code"]), await accept(cleo, made["code"])
        await ben.call("DELETE", f"{place(group)}/members/{ben.id}")

        assert (banned.status, banned.code) == (403, "forbidden")
        assert (full.status, full.code) == (409, "conflict")
        assert (await accept(cleo, made["code"])).status == 200


async def test_accept__many_for_the_last_use__one_gets_it(api: Api) -> None:
    ada, *others = await api.users(6)
    group = await ada.group()
    for _ in range(3):
        made = await invite(ada, group, max_uses=1)
        waiting = [user for user in others if (await user.call("GET", place(group))).status == 404][:2]

        responses = await asyncio.gather(*(accept(user, made["code"]) for user in waiting))

        assert sorted(response.status for response in responses) == [200, 404][: len(waiting)]


async def test_use__for_who_is_about_to_register__is_theirs_alone(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group()
    made = await invite(ada, group, max_uses=1)
    newcomer = await api.user("New", introduced=False)

    async def use(user_id: str, code: str = made["code"]) -> int:
        return (await api.internal("POST", "/internal/invites/use", {"user_id": user_id, "code": code})).status

    assert [await use(newcomer.id), await use(newcomer.id), await use(new_id())] == [204, 204, 404]
    assert await use(newcomer.id, "nonsense") == 404
    assert (await preview(api, made["code"])).status == 404
    assert (await accept(ben, made["code"])).status == 404
    assert (await accept(newcomer, made["code"])).status == 200
    await newcomer.call("DELETE", f"{place(group)}/members/{newcomer.id}")
    assert (await accept(newcomer, made["code"])).status == 404
