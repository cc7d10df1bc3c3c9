"""A cursor goes on alone or beside the same parameters, and is taken by no other list, conversation or question."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from services.api.tests.integration.conftest import Api, Json, User


@dataclass(frozen=True)
class Lists:
    """Two conversations of three members and messages each; the lists of the first, and how each is asked."""

    ada: User
    first: Json
    second: Json
    mark: str

    def path(self, name: str, conversation: Json | None = None) -> str:
        place = f"/v1/conversations/{(conversation or self.first)['id']}"
        return {
            "conversations": "/v1/conversations",
            "members": f"{place}/members",
            "messages": f"{place}/messages",
            "receipts": f"{place}/receipts",
            "search": "/v1/search/messages",
            "users": "/v1/users",
        }[name]

    def asked(self, name: str) -> list[dict[str, str]]:
        """Return the parameters that a list has of its own."""
        return {
            "messages": [{"before_seq": "3"}, {"after_seq": "0"}, {}],
            "receipts": [{"seq": "1"}],
            "search": [{"q": "hello"}, {"q": "hello", "conversation_id": str(self.first["id"])}],
            "users": [{"search": self.mark}],
        }.get(name, [{}])


NAMES = ["conversations", "members", "messages", "receipts", "search", "users"]
OTHERS = {"messages": {"before_seq": "2"}, "receipts": {"seq": "2"}, "search": {"q": "other"}, "users": {"search": "x"}}
OF_A_CONVERSATION = ["members", "messages", "receipts"]


@pytest_asyncio.fixture(loop_scope="session")
async def lists(api: Api) -> AsyncIterator[Lists]:
    ada, ben, cleo = await api.users(3)
    mark = ada.id.replace("-", "")[-12:]
    for user in (ada, ben, cleo):
        await user.patch("/v1/users/me", {"display_name": f"{mark} {user.profile.display_name}"})
    groups = [await ada.group(ben, cleo) for _ in range(2)]
    for group in groups:
        for _ in range(3):
            await ada.send(group["id"], "hello")
    yield Lists(ada, groups[0], groups[1], mark)


async def first_page(lists: Lists, name: str, asked: dict[str, str]) -> Json:
    page: Json = await lists.ada.get(lists.path(name), params={**asked, "limit": "1"})
    assert page["next_cursor"], name
    return page


@pytest.mark.parametrize("name", NAMES)
async def test_cursor__alone_and_beside_the_same_parameters__is_the_next_page(lists: Lists, name: str) -> None:
    for asked in lists.asked(name):
        page = await first_page(lists, name, asked)
        cursor = {"cursor": page["next_cursor"], "limit": "1"}

        alone = await lists.ada.get(lists.path(name), params=cursor)
        beside = await lists.ada.get(lists.path(name), params=cursor | asked)

        assert alone == beside
        assert alone["items"] and alone["items"] != page["items"]


@pytest.mark.parametrize("name", OTHERS)
async def test_cursor__beside_other_parameters__is_refused(lists: Lists, name: str) -> None:
    page = await first_page(lists, name, lists.asked(name)[0])

    response = await lists.ada.call("GET", lists.path(name), params={"cursor": page["next_cursor"], **OTHERS[name]})

    assert (response.status, response.code) == (400, "bad_cursor")


@pytest.mark.parametrize("name", OF_A_CONVERSATION)
async def test_cursor__of_another_conversation__is_refused(lists: Lists, name: str) -> None:
    page = await first_page(lists, name, lists.asked(name)[0])

    response = await lists.ada.call("GET", lists.path(name, lists.second), params={"cursor": page["next_cursor"]})

    assert (response.status, response.code) == (400, "bad_cursor")


async def test_cursor__of_another_list__is_refused_by_each(lists: Lists) -> None:
    cursors = {name: (await first_page(lists, name, lists.asked(name)[0]))["next_cursor"] for name in NAMES}

    for name in NAMES:
        for other in NAMES:
            if other != name:
                response = await lists.ada.call("GET", lists.path(name), params={"cursor": cursors[other]})
                assert (response.status, response.code) == (400, "bad_cursor"), (name, other)


@pytest.mark.parametrize(("name", "field"), [("search", "q"), ("receipts", "seq"), ("users", "search")])
async def test_list__with_neither_its_parameter_nor_a_cursor__names_it(lists: Lists, name: str, field: str) -> None:
    assert (await lists.ada.call("GET", lists.path(name))).fields == {field}
