"""`GET …/messages`: pages of the history."""

import pytest

from services.api.tests.integration.conftest import Api, Json, User


async def filled(api: Api, count: int) -> tuple[User, Json]:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    for n in range(count):
        await ada.send(conversation["id"], f"{n + 1}")
    return ben, conversation


def seqs(page: Json) -> list[int]:
    return [message["seq"] for message in page["items"]]


async def test_history__for_an_unrelated_user__is_not_there(api: Api) -> None:
    _, conversation = await filled(api, 1)
    eve = await api.user()

    response = await eve.call("GET", f"/v1/conversations/{conversation['id']}/messages")

    assert (response.status, response.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("asked", "expected", "more"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7], False),
        ({"limit": "3"}, [5, 6, 7], True),
        ({"before_seq": "4", "limit": "2"}, [2, 3], True),
        ({"before_seq": "4", "limit": "3"}, [1, 2, 3], False),
        ({"before_seq": "0"}, [], False),
        ({"after_seq": "0", "limit": "3"}, [1, 2, 3], True),
        ({"after_seq": "4", "limit": "3"}, [5, 6, 7], False),
        ({"after_seq": "9"}, [], False),
        ({"around_seq": "4", "limit": "3"}, [3, 4, 5], True),
        ({"around_seq": "4", "limit": "4"}, [3, 4, 5, 6], True),
        ({"around_seq": "4", "limit": "1"}, [4], True),
        ({"around_seq": "4", "limit": "7"}, [1, 2, 3, 4, 5, 6, 7], False),
        ({"around_seq": "0", "limit": "3"}, [1, 2], True),
        ({"around_seq": "99", "limit": "5"}, [5, 6, 7], False),
        ({"around": "first_unread", "limit": "2"}, [1, 2], True),
        ({"at": "1066-10-14T00:00:00Z", "limit": "2"}, [1, 2], True),
        ({"at": "9999-12-31T00:00:00Z"}, [], False),
    ],
)
async def test_history__asked_so__is_ascending(
    api: Api, asked: dict[str, str], expected: list[int], more: bool
) -> None:
    ben, conversation = await filled(api, 7)

    page = await ben.get(f"/v1/conversations/{conversation['id']}/messages", params=asked)

    assert seqs(page) == expected
    assert (page["next_cursor"] is not None) == more


@pytest.mark.parametrize(
    ("asked", "pages"),
    [
        ({}, [[6, 7], [4, 5], [2, 3], [1]]),
        ({"after_seq": "2"}, [[3, 4], [5, 6], [7]]),
        ({"around_seq": "3"}, [[3, 4], [5, 6], [7]]),
        ({"around": "first_unread"}, [[1, 2], [3, 4], [5, 6], [7]]),
        ({"at": "2020-01-01T00:00:00Z"}, [[1, 2], [3, 4], [5, 6], [7]]),
    ],
)
async def test_history__walked__goes_on_in_the_same_direction(
    api: Api, asked: dict[str, str], pages: list[list[int]]
) -> None:
    ben, conversation = await filled(api, 7)
    path = f"/v1/conversations/{conversation['id']}/messages"

    page = await ben.get(path, params=asked | {"limit": "2"})
    walked = [seqs(page)]
    while page["next_cursor"]:
        page = await ben.get(path, params={"cursor": page["next_cursor"], "limit": "2"})
        walked.append(seqs(page))

    assert walked == pages


@pytest.mark.parametrize(
    "asked", [{"before_seq": "2", "after_seq": "1"}, {"before_seq": "-1"}, {"after_seq": str(2**63)}]
)
async def test_history__asked_wrongly__is_invalid(api: Api, asked: dict[str, str]) -> None:
    ben, conversation = await filled(api, 0)

    response = await ben.call("GET", f"/v1/conversations/{conversation['id']}/messages", params=asked)

    assert (response.status, response.code) == (422, "invalid")


async def test_history__is_whole_for_one_who_came_later(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group()
    await ada.send(group["id"], "early")
    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [ben.id]})

    page = await ben.get(f"/v1/conversations/{group['id']}/messages")

    assert [message["body"] for message in page["items"]] == ["early"]


async def test_history__around_the_first_unread__is_that_after_what_was_read(api: Api) -> None:
    ben, conversation = await filled(api, 7)
    path = f"/v1/conversations/{conversation['id']}"
    around = {"around": "first_unread", "limit": "3"}

    await ben.post(f"{path}/read", {"seq": 4})
    unread = await ben.get(f"{path}/messages", params=around)
    await ben.post(f"{path}/read", {"seq": 7})
    read = await ben.get(f"{path}/messages", params=around)

    assert seqs(unread) == [4, 5, 6]
    assert (seqs(read), read["next_cursor"]) == ([5, 6, 7], None)


async def test_history__at_a_time__begins_with_the_first_message_then_or_later(api: Api) -> None:
    ben, conversation = await filled(api, 7)
    await api.sql(
        "update messages set created_at = '2026-01-01Z'::timestamptz + (seq / 2) * interval '1 hour' "
        "where conversation_id = $1",
        conversation["id"],
    )
    path = f"/v1/conversations/{conversation['id']}/messages"

    found = {
        time: seqs(await ben.get(path, params={"at": f"2026-01-01T{time}Z"}))
        for time in ("00:00:00", "00:00:01", "01:00:00", "02:59:59", "03:00:00", "03:00:01")
    }

    assert {time: listed[:1] for time, listed in found.items()} == {
        "00:00:00": [1], "00:00:01": [2], "01:00:00": [2], "02:59:59": [6], "03:00:00": [6], "03:00:01": [],
    }  # fmt: skip


async def test_history__of_an_empty_conversation__is_empty_however_it_is_asked(api: Api) -> None:
    ben, conversation = await filled(api, 0)

    for asked in ({"around_seq": "3"}, {"around": "first_unread"}, {"at": "2026-01-01T00:00:00Z"}):
        page = await ben.get(f"/v1/conversations/{conversation['id']}/messages", params=asked)
        assert page == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("with_it", ["before_seq", "after_seq", "around_seq", "around", "at"])
async def test_history__two_places_to_begin__are_invalid(api: Api, with_it: str) -> None:
    ben, conversation = await filled(api, 0)
    all_of_them = {"before_seq": "1", "after_seq": "1", "around_seq": "1", "around": "first_unread"}
    all_of_them["at"] = "2026-01-01T00:00:00Z"

    for other in all_of_them.keys() - {with_it}:
        asked = {name: all_of_them[name] for name in (with_it, other)}
        response = await ben.call("GET", f"/v1/conversations/{conversation['id']}/messages", params=asked)
        assert (response.status, response.code) == (422, "invalid")
        assert response.fields <= asked.keys()
