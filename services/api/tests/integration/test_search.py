"""`GET /v1/search/messages`."""

from synctalk_runtime.ids import new_id

from services.api.tests.integration.conftest import Api, Person


async def bodies(person: Person, **params: str) -> list[str]:
    return [hit["message"]["body"] for hit in (await person.get("/v1/search/messages", params=params))["items"]]


async def test_search__in_anothers_conversation__finds_nothing(api: Api) -> None:
    ada, ben, eve = await api.people(3)
    word = f"secret{new_id()[-8:]}"
    conversation = await ada.direct(ben)
    await ada.send(conversation["id"], word)
    await eve.direct(ben)

    named = await eve.call("GET", "/v1/search/messages", params={"q": word, "conversation_id": conversation["id"]})

    assert await bodies(eve, q=word) == []
    assert (named.status, named.code) == (404, "not_found")
    assert await bodies(ben, q=word) == [word]


async def test_search__after_leaving__finds_nothing(api: Api) -> None:
    ada, ben = await api.people(2)
    group = await ada.group(ben)
    await ada.send(group["id"], "gonewords")
    await ben.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")

    assert await bodies(ben, q="gonewords") == []


async def test_search__words__newest_first_edited_and_deleted_seen(api: Api) -> None:
    ada, ben = await api.people(2)
    one, other = await ada.direct(ben), await ada.group(ben)
    sent = [await ada.send(c["id"], f"the quick brown fox {n}") for n, c in enumerate((one, other, one, one))]
    await ada.delete(f"/v1/conversations/{one['id']}/messages/{sent[2]['id']}")
    await ada.patch(f"/v1/conversations/{one['id']}/messages/{sent[3]['id']}", {"body": "a slow fox"})

    assert await bodies(ben, q="QUICK fox") == ["the quick brown fox 1", "the quick brown fox 0"]
    assert await bodies(ben, q="fox -quick") == ["a slow fox"]
    assert await bodies(ben, q='"brown fox 1"', conversation_id=other["id"]) == ["the quick brown fox 1"]
    assert await bodies(ben, q="!&|():*'\\") == []


async def test_search__highlight__is_safe_html(api: Api) -> None:
    ada, ben = await api.people(2)
    conversation = await ada.direct(ben)
    await ada.send(conversation["id"], '<img src=x onerror="go()"> & \x02fox\x03 here')

    page = await ben.get("/v1/search/messages", params={"q": "fox"})

    (hit,) = page["items"]
    assert "<mark>fox</mark>" in hit["highlight"]
    assert "<img" not in hit["highlight"]
    assert hit["highlight"].count("<") == 2


async def test_search__page_by_page__has_each_once(api: Api) -> None:
    ada, ben = await api.people(2)
    conversation = await ada.direct(ben)
    for n in range(5):
        await ada.send(conversation["id"], f"pagedword {n}")

    walked, cursor = [], None
    while True:
        params = {"q": "pagedword", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await ben.get("/v1/search/messages", params=params)
        walked += [hit["message"]["body"] for hit in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert walked == [f"pagedword {n}" for n in (4, 3, 2, 1, 0)]


async def test_search__for_nothing__is_invalid(api: Api) -> None:
    ada = await api.person()

    assert (await ada.call("GET", "/v1/search/messages")).fields == {"q"}
    assert (await ada.call("GET", "/v1/search/messages", params={"q": ""})).fields == {"q"}
    assert (await ada.call("GET", "/v1/search/messages", params={"q": "\0"})).fields == {"q"}
