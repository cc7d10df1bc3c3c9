"""`/internal`: the endpoints for the other services, and who may not call them."""

from datetime import timedelta

import pytest
from synctalk_contracts.ids import format_time
from synctalk_contracts.internal import (
    ConversationStates,
    ConversationViews,
    Heads,
    Membership,
    MembershipPage,
    PushAnswers,
    RoomState,
)
from synctalk_runtime.ids import new_id

from services.api.tests.integration.conftest import Api


@pytest.mark.parametrize("headers", [{}, {"x-synctalk-internal": "wrong"}, {"x-synctalk-internal": "ü"}])
async def test_internal__without_the_secret__is_not_there(api: Api, headers: dict[str, str]) -> None:
    ada = await api.user()

    for method, path in [
        ("GET", f"/internal/users/{ada.id}"),
        ("PUT", f"/internal/users/{ada.id}"),
        ("GET", f"/internal/users/{ada.id}/conversations"),
        ("GET", f"/internal/users/{ada.id}/conversation-ids"),
        ("POST", "/internal/states"),
        ("POST", "/internal/heads"),
        ("POST", "/internal/room"),
        ("POST", "/internal/views"),
        ("POST", "/internal/sync"),
        ("POST", "/internal/contacts"),
        ("POST", "/internal/pushes"),
        ("POST", "/internal/previews"),
        ("GET", "/internal/memberships"),
    ]:
        response = await api.service.call(method, path, {}, headers=headers)
        assert response.status in (404, 422), path
        if response.status == 404:
            assert response.code == "not_found"


async def test_users__unknown__are_not_found_without_asking_auth(api: Api) -> None:
    ada = await api.user(introduced=False)

    response = await api.internal("GET", f"/internal/users/{ada.id}")

    assert (response.status, response.code) == (404, "not_found")


async def test_conversations__of_a_user__are_all_with_newest_activity_first(api: Api) -> None:
    ada, *others = await api.users(4)
    begun = [await ada.direct(other) for other in others]
    left = await ada.group(others[0])
    await ada.delete(f"/v1/conversations/{left['id']}/members/{ada.id}")
    await ada.send(begun[0]["id"])

    response = await api.internal("GET", f"/internal/users/{ada.id}/conversations")

    states = ConversationStates.model_validate(response.body).items
    assert [(state.id, state.last_seq, state.change_seq) for state in states] == [
        (begun[0]["id"], 1, 2),
        (begun[2]["id"], 0, 1),
        (begun[1]["id"], 0, 1),
    ]


async def test_conversation_ids__page_by_page__are_all_of_the_users_own(api: Api) -> None:
    ada, *others = await api.users(4)
    begun = [await ada.direct(other) for other in others]
    await others[0].direct(others[1])
    left = await ada.group(others[0])
    await ada.delete(f"/v1/conversations/{left['id']}/members/{ada.id}")

    path = f"/internal/users/{ada.id}/conversation-ids"
    first = (await api.internal("GET", path, params={"limit": "2"})).body["ids"]
    second = (await api.internal("GET", path, params={"limit": "2", "before": first[-1]})).body["ids"]

    assert first + second == sorted((one["id"] for one in begun), reverse=True)


async def test_states__of_some__are_those_that_the_user_is_in_with_what_may_have_changed(api: Api) -> None:
    ada, bob, cleo = await api.users(3)
    mine, foreign = await ada.direct(bob), await bob.direct(cleo)
    await ada.send(mine["id"])
    question = {"user_id": ada.id, "ids": [mine["id"], foreign["id"]]}

    now = ConversationStates.model_validate((await api.internal("POST", "/internal/states", question)).body)
    assert [(state.id, state.last_seq, state.change_seq) for state in now.items] == [(mine["id"], 1, 2)]
    assert now.items[0].changed

    assert now.as_of is not None
    later = question | {"since": format_time(now.as_of + timedelta(minutes=2))}
    then = ConversationStates.model_validate((await api.internal("POST", "/internal/states", later)).body)
    assert [state.changed for state in then.items] == [False]


async def test_conversations__beyond_the_limit__are_announced(api: Api) -> None:
    ada, *others = await api.users(4)
    begun = [await ada.direct(other) for other in others]

    some = await api.internal("GET", f"/internal/users/{ada.id}/conversations", params={"limit": "2"})
    exact = await api.internal("GET", f"/internal/users/{ada.id}/conversations", params={"limit": "3"})
    refused = [
        await api.internal("GET", f"/internal/users/{ada.id}/conversations", params={"limit": limit})
        for limit in ("0", "1001")
    ]

    answered = ConversationStates.model_validate(some.body)
    assert [state.id for state in answered.items] == [begun[2]["id"], begun[1]["id"]]
    assert answered.more
    assert not ConversationStates.model_validate(exact.body).more
    assert [response.fields for response in refused] == [{"limit"}, {"limit"}]


async def test_heads__are_the_latest_changes_of_what_is_known(api: Api) -> None:
    ada, ben = await api.users(2)
    direct, group = await ada.direct(ben), await ada.group(ben)
    await ada.send(direct["id"])

    response = await api.internal("POST", "/internal/heads", {"ids": [direct["id"], group["id"], new_id()]})

    assert Heads.model_validate(response.body).items == {direct["id"]: 2, group["id"]: 1}


async def test_heads__of_too_many__is_invalid(api: Api) -> None:
    response = await api.internal("POST", "/internal/heads", {"ids": [new_id() for _ in range(1_001)]})

    assert response.fields == {"ids"}


async def test_room__says_who_is_still_a_member_as_of_which_change(api: Api) -> None:
    ada, ben, cleo, eve = await api.users(4)
    group = await ada.group(ben, cleo)
    await ada.delete(f"/v1/conversations/{group['id']}/members/{cleo.id}")
    asked = [ada.id, ben.id, cleo.id, eve.id]

    response = await api.internal("POST", "/internal/room", {"conversation_id": group["id"], "user_ids": asked})
    unknown = await api.internal("POST", "/internal/room", {"conversation_id": new_id(), "user_ids": asked})

    state = RoomState.model_validate(response.body)
    assert (state.change_seq, set(state.member_ids)) == (2, {ada.id, ben.id})
    assert unknown.body == {"change_seq": 0, "member_ids": []}


async def test_room__of_too_many_users__is_invalid(api: Api) -> None:
    question = {"conversation_id": new_id(), "user_ids": [new_id() for _ in range(5_001)]}

    assert (await api.internal("POST", "/internal/room", question)).fields == {"user_ids"}


async def test_contacts__are_those_who_share_a_conversation(api: Api) -> None:
    ada, ben, cleo, eve = await api.users(4)
    await ada.direct(ben)
    await ada.group(ben)
    group = await ada.group(cleo)
    await ada.delete(f"/v1/conversations/{group['id']}/members/{cleo.id}")
    question = {"user_id": ada.id, "others": [ben.id, cleo.id, eve.id, new_id()]}

    response = await api.internal("POST", "/internal/contacts", question)

    assert response.body == {"ids": [ben.id], "direct": [ben.id]}


async def test_pushes__say_what_is_still_to_announce(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    direct, group = await ada.direct(ben), await ada.group(ben)
    for _ in range(4):
        await ada.send(direct["id"])
    message = await ada.send(direct["id"])
    await ada.send(group["id"])
    await ada.delete(f"/v1/conversations/{direct['id']}/messages/{message['id']}")
    await ben.post(f"/v1/conversations/{direct['id']}/read", {"seq": 2})
    questions = [
        {"user_id": ben.id, "conversation_id": direct["id"], "seq": 2},
        {"user_id": ben.id, "conversation_id": direct["id"], "seq": 3},
        {"user_id": ben.id, "conversation_id": direct["id"], "seq": 5},
        {"user_id": eve.id, "conversation_id": direct["id"], "seq": 1},
        {"user_id": ada.id, "conversation_id": new_id(), "seq": 1},
    ]

    response = await api.internal("POST", "/internal/pushes", {"items": questions})

    items = PushAnswers.model_validate(response.body).items
    assert [(i.member, i.read, i.deleted, i.badge) for i in items] == [
        (True, True, False, 3),
        (True, False, False, 3),
        (True, False, True, 3),
        (False, False, False, 0),
        (False, False, False, 0),
    ]


async def test_pushes__say_who_wrote_and_where(api: Api) -> None:
    ada, ben = await api.users(2)
    direct, group = await ada.direct(ben), await ada.group(ben)
    await ada.send(direct["id"])
    await ada.send(group["id"])
    questions = [{"user_id": ben.id, "conversation_id": each["id"], "seq": 1} for each in (direct, group)]
    name = (await ada.get("/v1/users/me"))["display_name"]

    response = await api.internal("POST", "/internal/pushes", {"items": questions})

    items = PushAnswers.model_validate(response.body).items
    assert [(item.sender_name, item.title) for item in items] == [(name, None), (name, group["title"])]


async def test_pushes__of_a_user_at_level_none__count_only_what_is_loud(api: Api) -> None:
    ada, ben = await api.users(2)
    loud, other = await ada.group(ben), await ada.group(ben)
    for _ in range(2):
        await ada.send(loud["id"])
    await ada.send(other["id"])

    async def badge(loud_ids: list[str]) -> list[int]:
        question = {"user_id": ben.id, "conversation_id": loud["id"], "seq": 1}
        body = {"items": [question | {"loud_conversation_ids": loud_ids}, question]}
        response = await api.internal("POST", "/internal/pushes", body)
        return [item.badge for item in PushAnswers.model_validate(response.body).items]

    assert (await badge([loud["id"], new_id()]), await badge([])) == ([2, 2], [0, 0])


async def test_pushes__of_quiet_conversations__are_left_out_of_the_badge_of_that_user_alone(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    loud, quiet = await ada.group(ben, cleo), await ada.group(ben, cleo)
    for _ in range(2):
        await ada.send(loud["id"])
    await ada.send(quiet["id"])
    questions = [
        {"user_id": ben.id, "conversation_id": loud["id"], "seq": 1, "quiet_conversation_ids": [quiet["id"], new_id()]},
        {"user_id": cleo.id, "conversation_id": loud["id"], "seq": 1},
    ]

    response = await api.internal("POST", "/internal/pushes", {"items": questions})

    assert [item.badge for item in PushAnswers.model_validate(response.body).items] == [2, 3]


async def test_views__are_those_of_the_members_as_of_one_moment(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group = await ada.group(ben)
    await ada.send(group["id"])
    question = {"conversation_id": group["id"], "user_ids": [ada.id, ben.id, eve.id]}

    found = ConversationViews.model_validate((await api.internal("POST", "/internal/views", question)).body)

    assert found.conversation is not None
    assert (found.conversation.last_seq, found.conversation.change_seq) == (1, 2)
    assert {each: view.unread_count for each, view in found.views.items()} == {ada.id: 0, ben.id: 1}
    for user in (ada, ben):
        seen = await user.get(f"/v1/conversations/{group['id']}")
        shared = found.conversation.model_dump(mode="json")
        assert shared | found.views[user.id].model_dump(mode="json", exclude_unset=True) == seen


async def test_views__of_an_unknown_conversation__are_none(api: Api) -> None:
    question = {"conversation_id": new_id(), "user_ids": [new_id()]}

    assert (await api.internal("POST", "/internal/views", question)).body == {"conversation": None, "views": {}}


async def test_memberships__page_by_page__are_all_of_them_with_who_left(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group, direct = await ada.group(ben, cleo), await ada.direct(cleo)
    assert (await ben.call("DELETE", f"/v1/conversations/{group['id']}/members/{ben.id}")).status == 204
    found: list[Membership] = []
    after: str | None = None
    while True:
        query = f"limit=2&after={after}" if after else "limit=2"
        response = await api.internal("GET", f"/internal/memberships?{query}")
        page = MembershipPage.model_validate(response.body)
        found += page.items
        after = page.next
        if after is None:
            break
        assert len(page.items) == 2

    keys = [(m.conversation_id, m.user_id) for m in found]
    assert keys == sorted(set(keys))
    ours = {m.user_id: m for m in found if m.conversation_id == group["id"]}
    assert {user_id: m.present for user_id, m in ours.items()} == {ada.id: True, ben.id: False, cleo.id: True}
    assert {m.direct for m in ours.values()} == {False}
    assert [m.direct for m in found if m.conversation_id == direct["id"]] == [True, True]
    assert ours[ben.id].change_seq > ours[ada.id].change_seq


async def test_memberships__after_a_cursor_of_another_list__is_refused(api: Api) -> None:
    response = await api.internal("GET", "/internal/memberships?after=W10")
    assert (response.status, response.body["error"]["code"]) == (400, "bad_cursor")
