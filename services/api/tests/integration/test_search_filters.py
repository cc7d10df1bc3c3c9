"""The filters of `GET /v1/search/messages`, and `GET /v1/mentions`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from synctalk_api.store import backfill

from services.api.tests.integration.conftest import Api, Json, User

Params = dict[str, Any]
TIMES = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
"""Of the messages of a `talk`."""


def at(message: Json) -> str:
    return f"/v1/conversations/{message['conversation_id']}/messages/{message['id']}"


async def bodies(user: User, **params: Any) -> list[str]:
    return [hit["message"]["body"] for hit in (await user.get("/v1/search/messages", params=params))["items"]]


async def mentions(user: User) -> list[str]:
    return [item["message"]["body"] for item in await user.list("/v1/mentions", 2)]


@dataclass(frozen=True)
class Talk:
    ada: User
    ben: User
    cleo: User
    group: Json
    sent: dict[str, Json]


async def talk(api: Api) -> Talk:
    """Two messages of ada, two of ben; one each with a link, a mention, a reaction and a pin."""
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    said = (
        (ada, "tea at https://tea.example/oolong"),
        (ben, f"tea for @{ada.profile.username}"),
        (ada, "tea with a pin"),
        (ben, "coffee with a reaction"),
    )
    sent = {body.split()[0] + str(n): await user.send(group["id"], body) for n, (user, body) in enumerate(said)}
    await ben.put(f"{at(sent['tea2'])}/pin")
    await ben.put(f"{at(sent['coffee3'])}/reactions/👍")
    for n, message in enumerate(sent.values()):
        for table in ("messages", "message_terms"):
            await api.sql(
                f"update {table} set created_at = $3 where conversation_id = $1 and id = $2",  # noqa: S608
                group["id"], message["id"], TIMES[n],
            )  # fmt: skip
    return Talk(ada, ben, cleo, group, sent)


def found(names: list[str], talked: Talk) -> list[str]:
    return [talked.sent[name]["body"] for name in names]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"sender": "ada"}, ["tea2", "tea0"]),
        ({"sender": "ben", "q": "tea"}, ["tea1"]),
        ({"sender": "cleo"}, []),
        ({"mentions": "me"}, ["tea1"]),
        ({"mentions": "me", "q": "coffee"}, []),
        ({"has": "link"}, ["tea0"]),
        ({"has": "pin"}, ["tea2"]),
        ({"has": "reaction"}, ["coffee3"]),
        ({"has": "file"}, []),
        ({"has": ["pin", "reaction"]}, []),
        ({"has": "pin", "sender": "ada", "q": "te"}, ["tea2"]),
        ({"has": "pin", "q": "-tea"}, []),
        ({"has": "reaction", "q": "-tea"}, ["coffee3"]),
        ({"after": "2026-01-02T00:00:00Z"}, ["coffee3", "tea2", "tea1"]),
        ({"before": "2026-01-02T00:00:00Z"}, ["tea0"]),
        ({"after": "2026-01-02T00:00:00Z", "before": "2026-01-03T00:00:00.001Z", "q": "tea"}, ["tea2", "tea1"]),
        ({"after": "2026-01-02T00:00:00.001Z", "q": "tea"}, ["tea2"]),
        ({"after": "2026-01-03T00:00:00.0001Z", "q": "tea"}, []),
        ({"before": "2026-01-02T00:00:00.0001Z", "q": "tea"}, ["tea1", "tea0"]),
        ({"before": "9999-12-31T23:59:59.999999Z", "q": "tea"}, ["tea2", "tea1", "tea0"]),
        ({"before": "2025-01-02T00:00:00Z"}, []),
        ({"after": "2027-01-02T00:00:00Z", "sender": "ada"}, []),
        ({"here": True, "q": "-tea"}, ["coffee3"]),
        ({"here": True, "q": '-"with a"'}, ["tea1", "tea0"]),
        ({"here": True}, ["coffee3", "tea2", "tea1", "tea0"]),
    ],
)
async def test_search__with_filters__finds_what_passes_all_of_them(
    api: Api, params: Params, expected: list[str]
) -> None:
    talked = await talk(api)
    asked = dict(params)
    if sender := asked.pop("sender", None):
        asked["sender_id"] = getattr(talked, sender).id
    if asked.pop("here", False):
        asked["conversation_id"] = talked.group["id"]

    assert await bodies(talked.ada, **asked) == found(expected, talked)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "-tea"}, "q"),
        ({"q": "x" * 257, "has": "pin"}, "q"),
        ({"has": "star"}, "has"),
        ({"has": ["pin", ""]}, "has"),
        ({"mentions": "you"}, "mentions"),
        ({"sender_id": "ada"}, "sender_id"),
        ({"before": "yesterday"}, "before"),
        ({"after": "2026-01-01"}, "after"),
    ],
)
async def test_search__asked_wrongly__is_invalid(api: Api, params: Params, field: str) -> None:
    ada = await api.user()

    response = await ada.call("GET", "/v1/search/messages", params=params)

    assert (response.status, response.code) == (422, "invalid")
    assert {name.split(".")[0] for name in response.fields} == {field}


async def test_search__with_filters_in_anothers_conversation__is_not_there(api: Api) -> None:
    talked = await talk(api)
    eve = await api.user()
    params = {"conversation_id": talked.group["id"], "has": "pin"}

    assert (await eve.call("GET", "/v1/search/messages", params=params)).status == 404
    assert await bodies(eve, sender_id=talked.ada.id) == []


async def test_search__what_a_message_has__follows_its_changes(api: Api) -> None:
    talked = await talk(api)
    ada, ben, here = talked.ada, talked.ben, {"conversation_id": talked.group["id"]}
    await ben.delete(f"{at(talked.sent['tea2'])}/pin")
    await ben.delete(f"{at(talked.sent['coffee3'])}/reactions/👍")
    await ada.patch(at(talked.sent["tea0"]), {"body": "no link"})
    await ada.patch(at(talked.sent["tea2"]), {"body": f"@{ben.profile.username} www.tea.example"})

    assert [await bodies(ada, has=name, **here) for name in ("pin", "reaction")] == [[], []]
    assert await bodies(ada, has="link", **here) == [f"@{ben.profile.username} www.tea.example"]
    assert await bodies(ben, mentions="me") == [f"@{ben.profile.username} www.tea.example"]
    await ada.delete(at(talked.sent["tea2"]))
    assert await bodies(ben, mentions="me") == []
    assert await bodies(ada, has="link") == []


async def test_search__page_by_page_with_filters__has_each_once_and_keeps_them(api: Api) -> None:
    talked = await talk(api)
    asked = {"sender_id": talked.ben.id, "has": "reaction", "limit": "1"}
    for n in range(3):
        message = await talked.ben.send(talked.group["id"], f"more {n}")
        await talked.ada.put(f"{at(message)}/reactions/👍")

    walked, cursor = [], None
    while True:
        page = await talked.ada.get("/v1/search/messages", params=asked | ({"cursor": cursor} if cursor else {}))
        walked += [hit["message"]["body"] for hit in page["items"]]
        cursor = page["next_cursor"] or cursor
        if page["next_cursor"] is None:
            break
    alone = await talked.ada.get("/v1/search/messages", params={"cursor": cursor})
    other = await talked.ada.call("GET", "/v1/search/messages", params={"cursor": cursor, "has": "pin"})

    assert walked == ["more 2", "more 1", "more 0", "coffee with a reaction"]
    assert [hit["message"]["body"] for hit in alone["items"]] == walked[3:]
    assert (other.status, other.code) == (400, "bad_cursor")


async def test_search__ranges__mark_the_hits_in_the_body(api: Api) -> None:
    ada, ben = await api.users(2)
    await ada.send((await ada.direct(ben))["id"], "👍 Jose\u0301 met jose")

    (hit,) = (await ben.get("/v1/search/messages", params={"q": "josé"}))["items"]

    assert hit["ranges"] == [[2, 7], [12, 16]]
    assert hit["message"]["body"][2:7] == "Jose\u0301"
    assert "<mark>" in hit["highlight"]


async def test_search__without_words__shows_the_beginning(api: Api) -> None:
    talked = await talk(api)

    (hit,) = (await talked.ada.get("/v1/search/messages", params={"has": "pin"}))["items"]

    assert (hit["highlight"], hit["ranges"]) == ("tea with a pin", [])


async def test_mentions__are_those_of_ones_conversations_newest_first(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group, other, direct = await ada.group(ben, cleo), await ada.group(ben, title="Other"), await ada.direct(ben)
    name = f"@{ben.profile.username}"
    for conversation, body in (
        (group, f"one {name}"),
        (group, "plain"),
        (other, "two @all"),
        (direct, f"three {name}"),
    ):
        await ada.send(conversation["id"], body)
    await ben.send(group["id"], "mine @all")
    gone = await ada.send(group["id"], f"gone {name}")
    await ada.delete(at(gone))

    assert await mentions(ben) == [f"three {name}", "two @all", f"one {name}"]
    assert await mentions(ada) == ["mine @all"]
    (item,) = (await cleo.get("/v1/mentions"))["items"]
    assert item == {"message": item["message"], "conversation_id": group["id"]}
    assert item["message"]["body"] == "mine @all"
    await ben.delete(f"/v1/conversations/{other['id']}/members/{ben.id}")
    assert await mentions(ben) == [f"three {name}", f"one {name}"]


async def test_mentions__with_a_cursor_of_something_else__is_a_bad_one(api: Api) -> None:
    ada = await api.user()

    response = await ada.call("GET", "/v1/mentions", params={"cursor": "abc"})

    assert (response.status, response.code) == (400, "bad_cursor")


async def test_backfill__of_messages_from_before__tags_them(api: Api) -> None:
    talked = await talk(api)
    group = talked.group["id"]
    untagged = "update message_terms set terms = ts_delete(terms, $2::text[]) where conversation_id = $1"
    rows = await api.sql(
        "select tsvector_to_array(terms) as terms from message_terms where conversation_id = $1", group
    )
    await api.sql(untagged, group, [term for row in rows for term in row["terms"] if "@" in term])
    before = [await bodies(talked.ada, **filters) for filters in ({"has": "pin"}, {"sender_id": talked.ben.id})]
    await api.sql("insert into unindexed_conversations (conversation_id, due_at) values ($1, now())", group)

    async with api.services.stores.main.postgres.transaction() as conn:
        taken = await backfill.take_conversation(conn)
        assert taken is not None
        await backfill.index_conversation(conn, taken, 200)

    assert before == [[], []]
    for filters, expected in (
        ({"has": "pin"}, ["tea2"]),
        ({"has": "reaction"}, ["coffee3"]),
        ({"has": "link"}, ["tea0"]),
        ({"mentions": "me"}, ["tea1"]),
        ({"sender_id": talked.ben.id, "q": "tea"}, ["tea1"]),
    ):
        assert await bodies(talked.ada, **filters) == found(expected, talked)
