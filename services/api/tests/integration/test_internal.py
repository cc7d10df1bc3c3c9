"""`/internal`: what the other services ask, and who may not."""

import pytest
from synctalk_contracts.internal import ConversationStates, PushAnswers
from synctalk_runtime.ids import new_id

from services.api.tests.integration.conftest import Api, call


@pytest.mark.parametrize("headers", [{}, {"x-synctalk-internal": "wrong"}, {"x-synctalk-internal": "ü"}])
async def test_internal__without_the_secret__is_not_there(api: Api, headers: dict[str, str]) -> None:
    ada = await api.person()

    for method, path in [
        ("GET", f"/internal/users/{ada.id}"),
        ("PUT", f"/internal/users/{ada.id}"),
        ("GET", f"/internal/users/{ada.id}/conversations"),
        ("POST", "/internal/sync"),
        ("POST", "/internal/contacts"),
        ("POST", "/internal/pushes"),
    ]:
        answer = await call(api.http, method, api.url + path, headers=headers, json={})
        assert answer.status in (404, 422), path
        if answer.status == 404:
            assert answer.code == "not_found"


async def test_users__unknown__are_not_found_without_asking_auth(api: Api) -> None:
    ada = await api.person(introduced=False)

    answer = await api.internal("GET", f"/internal/users/{ada.id}")

    assert (answer.status, answer.code) == (404, "not_found")


async def test_conversations__of_a_person__are_all_with_newest_activity_first(api: Api) -> None:
    ada, *others = await api.people(4)
    begun = [await ada.direct(other) for other in others]
    left = await ada.group(others[0])
    await ada.delete(f"/v1/conversations/{left['id']}/members/{ada.id}")
    await ada.send(begun[0]["id"])

    answer = await api.internal("GET", f"/internal/users/{ada.id}/conversations")

    states = ConversationStates.model_validate(answer.body).items
    assert [(state.id, state.last_seq, state.change_seq) for state in states] == [
        (begun[0]["id"], 1, 2),
        (begun[2]["id"], 0, 1),
        (begun[1]["id"], 0, 1),
    ]


async def test_contacts__are_those_who_share_a_conversation(api: Api) -> None:
    ada, ben, cleo, eve = await api.people(4)
    await ada.direct(ben)
    group = await ada.group(cleo)
    await ada.delete(f"/v1/conversations/{group['id']}/members/{cleo.id}")
    question = {"user_id": ada.id, "others": [ben.id, cleo.id, eve.id, new_id()]}

    answer = await api.internal("POST", "/internal/contacts", json=question)

    assert answer.body == {"ids": [ben.id]}


async def test_pushes__say_what_is_still_to_announce(api: Api) -> None:
    ada, ben, eve = await api.people(3)
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

    answer = await api.internal("POST", "/internal/pushes", json={"items": questions})

    items = PushAnswers.model_validate(answer.body).items
    assert [(i.member, i.delivered, i.read, i.deleted, i.badge) for i in items] == [
        (True, True, True, False, 3),
        (True, False, False, False, 3),
        (True, False, False, True, 3),
        (False, False, False, False, 0),
        (False, False, False, False, 0),
    ]
