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
    ("asked", "pages"), [({}, [[6, 7], [4, 5], [2, 3], [1]]), ({"after_seq": "2"}, [[3, 4], [5, 6], [7]])]
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
