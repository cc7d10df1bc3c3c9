"""`GET /v1/search/messages`."""

import asyncio
import shutil
import unicodedata
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest
from synctalk_api.store import search
from synctalk_contracts import models
from synctalk_runtime.ids import new_id
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import FreshDatabase

from services.api.tests.integration.conftest import Api, Start, User


async def bodies(user: User, **params: str) -> list[str]:
    return [hit["message"]["body"] for hit in (await user.get("/v1/search/messages", params=params))["items"]]


async def test_search__in_anothers_conversation__finds_nothing(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    word = f"secret{new_id()[-8:]}"
    conversation = await ada.direct(ben)
    await ada.send(conversation["id"], word)
    await eve.direct(ben)

    named = await eve.call("GET", "/v1/search/messages", params={"q": word, "conversation_id": conversation["id"]})

    assert await bodies(eve, q=word) == []
    assert (named.status, named.code) == (404, "not_found")
    assert await bodies(ben, q=word) == [word]


async def test_search__after_leaving__finds_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await ada.send(group["id"], "gonewords")
    await ben.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")

    assert await bodies(ben, q="gonewords") == []


async def test_search__words__newest_first_edited_and_deleted_seen(api: Api) -> None:
    ada, ben = await api.users(2)
    one, other = await ada.direct(ben), await ada.group(ben)
    sent = [await ada.send(c["id"], f"the quick brown fox {n}") for n, c in enumerate((one, other, one, one))]
    await ada.delete(f"/v1/conversations/{one['id']}/messages/{sent[2]['id']}")
    await ada.patch(f"/v1/conversations/{one['id']}/messages/{sent[3]['id']}", {"body": "a slow fox"})

    assert await bodies(ben, q="QUICK fox") == ["the quick brown fox 1", "the quick brown fox 0"]
    assert await bodies(ben, q="fox -quick") == ["a slow fox"]
    assert (await ben.call("GET", "/v1/search/messages", params={"q": "-quick"})).fields == {"q"}
    assert await bodies(ben, q="-quick", conversation_id=one["id"]) == ["a slow fox"]
    assert await bodies(ben, q='"brown fox 1"', conversation_id=other["id"]) == ["the quick brown fox 1"]
    assert await bodies(ben, q="!&|():*'\\") == []


async def test_search__highlight__is_safe_html(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await ada.send(conversation["id"], '<img src=x onerror="go()"> & \x02fox\x03 here')

    page = await ben.get("/v1/search/messages", params={"q": "fox"})

    (hit,) = page["items"]
    assert "<mark>fox</mark>" in hit["highlight"]
    assert "<img" not in hit["highlight"]
    assert hit["highlight"].count("<") == 2


async def test_search__page_by_page__has_each_once(api: Api) -> None:
    ada, ben = await api.users(2)
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
    ada = await api.user()

    assert (await ada.call("GET", "/v1/search/messages")).fields == {"q"}
    assert (await ada.call("GET", "/v1/search/messages", params={"q": ""})).fields == {"q"}
    assert (await ada.call("GET", "/v1/search/messages", params={"q": "\0"})).fields == {"q"}


FOUND = [
    ("lunch 🍋 today", "🍋"),
    ("well done 👍🏽", "👍"),
    ("I ❤️ it", "❤"),
    ("我的爸爸肚子很餓", "爸爸"),
    ("我的爸爸肚子很餓", "餓"),
    ("我的爸爸肚子很餓", "我的爸爸肚子很餓"),
    ("手机iPhone坏了", "iphone坏"),
    ("東京タワーへ行く", "タワー"),
    ("김치찌개를 먹었다", "찌개"),
    ("김치찌개를 먹었다", unicodedata.normalize("NFD", "김치")),
    ("สวัสดีครับ", "ดีครับ"),
    ("see https://docs.example.com/guide/qwerty4?x=1", "qwerty4"),
    ("see https://docs.example.com/guide/qwerty4?x=1", "docs.example.com"),
    ("see https://docs.example.com/guide/qwerty4?x=1", "qwe"),
    ("fixes PLT-3699", "3699"),
    ("fixes PLT-3699", "plt-3699"),
    ("fixes PLT3699", "3699"),
    ("a well-known state_of_affairs", "known affairs"),
    ("José was here", "jose"),
    ("Jose\u0301 was here", "JOSÉ"),
    ("jose was here", "Jose\u0301"),
    ("Łódź, Đức, Ærø", "lodz duc aero"),
    ("STRASSE", "straße"),
    ("علی\u200cرضا آمد", "رضا"),
    ("مُحَمَّد", "محمد"),
    ("the quick brown fox", "quick bro"),
]


@pytest.mark.parametrize(("body", "asked"), FOUND)
async def test_search__whatever_the_case_accents_script_or_part__finds(api: Api, body: str, asked: str) -> None:
    ada, ben = await api.users(2)
    await ada.send((await ada.direct(ben))["id"], body)

    page = await ben.get("/v1/search/messages", params={"q": asked})

    assert [hit["message"]["body"] for hit in page["items"]] == [body]
    assert "<mark>" in page["items"][0]["highlight"]


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ("我的爸爸肚子很餓", "爸肚子爸"),
        ("我的爸爸肚子很餓", "我爸"),
        ("fixes PLT-3699", "3699-plt"),
        ("the quick brown fox", "qui brown"),
        ("the quick brown fox", '"quick bro"'),
        ("lunch 🍋 today", "🍊"),
    ],
)
async def test_search__what_is_not_there__finds_nothing(api: Api, body: str, asked: str) -> None:
    ada, ben = await api.users(2)
    await ada.send((await ada.direct(ben))["id"], body)

    assert await bodies(ben, q=asked) == []


async def test_search__over_segments_and_rounds__is_newest_first_and_has_each_once(api: Api) -> None:
    ada, ben = await api.users(2)
    groups = [await ada.group(ben) for _ in range(12)]
    await api.sql("update conversations set last_seq = 1020 where id = $1", groups[0]["id"])
    sent = [await ada.send(groups[n % 12 if n % 3 else 0]["id"], f"walked {n}") for n in range(30)]

    walked = [hit["message"]["id"] for hit in await ben.list("/v1/search/messages?q=walk", limit=7)]

    assert walked == [message["id"] for message in reversed(sent)]


async def test_search__plan__uses_the_index_alone(api: Api) -> None:
    conn = await asyncpg.connect(api.settings.database_url.get_secret_value())
    try:
        await conn.execute("set enable_seqscan = off")
        asked = ([new_id()], [5_000], "(\x01fox:*)", None, None, 21, None, None, [0])
        plan = await conn.fetchval(f"explain (format json) {search.FOUND}", *asked)
    finally:
        await conn.close()

    assert "message_terms_by_term" in plan
    assert "Seq Scan" not in plan
    assert "message_terms_pkey" not in plan


async def test_search__too_often__is_limited_by_a_bucket_of_its_own(start_api: Start) -> None:
    async with start_api(search_burst=2, search_rate_per_s=0.01) as api:
        ada, ben = await api.users(2)
        responses = [await ada.call("GET", "/v1/search/messages", params={"q": "fox"}) for _ in range(3)]

        assert [response.status for response in responses] == [200, 200, 429]
        assert (responses[2].code, responses[2].body["error"]["retry_after"] > 1) == ("rate_limited", True)
        assert (await ada.call("GET", "/v1/users/me")).status == 200
        assert await bodies(ben, q="fox") == []


SLOW = """\
create or replace function place_of(conversation_id uuid, segment bigint) returns text language plpgsql as $$
begin
  if current_query() like '%search.found%' then perform pg_sleep(60); end if;
  return right(conversation_id::text, 8) || to_hex(segment) || '_';
end $$"""
RUNNING = "select count(*) as n from pg_stat_activity where state = 'active' and query like '-- name: search.found%'"


async def test_search__slow_ones_by_many__end_at_their_deadline_and_hold_no_send_up(start_api: Start) -> None:
    async with start_api(database_pool_size=3, search_connections=2, search_timeout_s=3) as api:
        users = await api.users(8)
        group = await users[0].group(*users[1:])
        await users[0].send(group["id"])
        await api.sql(SLOW)
        searches = [
            asyncio.create_task(user.call("GET", "/v1/search/messages", params={"q": "hello"})) for user in users
        ]
        await eventually(lambda: _running(api, 2), message="no search runs")

        await asyncio.gather(*(user.send(group["id"]) for user in users))

        assert not any(task.done() for task in searches)
        assert await _running(api, 2)
        responses = await asyncio.gather(*searches)
        assert {(response.status, response.code) for response in responses} == {(503, "unavailable")}
        await eventually(lambda: _running(api, 0), message="a search goes on after its deadline")


async def _running(api: Api, count: int) -> bool:
    running: int = (await api.sql(RUNNING))[0]["n"]
    return running == count


BEFORE = """\
insert into users (id, username, display_name) values ('{ben}', 'ben', 'Ben'), ('{wang}', 'wang', '王小明');
insert into user_phrases (user_id, phrase) values ('{wang}', 'wang'), ('{wang}', '王小明');
insert into conversations (id, type, title, created_by, created_at, last_seq, change_seq, members_count, active_at,
                           updated_at)
values ('{group}', 'group', 'A group', '{ben}', now(), 301, 303, 1, now(), now());
insert into members (conversation_id, user_id, role, joined_at, change_seq)
values ('{group}', '{ben}', 'owner', now(), 1);
insert into messages (conversation_id, seq, id, change_seq, sender_id, client_message_id, digest, body, mentions,
                      created_at, deleted_at)
select '{group}', n, gen_random_uuid(), n + 1, '{ben}', n::text, '',
       case when n in (1, 300, 301) then '爸爸 ' || n else 'x' end, '{{}}',
       now() - interval '1 day' + n * interval '1 second', case when n = 301 then now() end
from generate_series(1, 301) n"""


async def test_search__messages_and_users_of_before_the_update__are_found(
    start_api: Start, fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    url, migrations = await fresh_database("api"), files("synctalk_api") / "migrations"
    for file in migrations.iterdir():
        if file.name < "0008_message_terms.sql":
            shutil.copy(str(file), tmp_path)
    await migrate(url, tmp_path)
    ids = {name: new_id() for name in ("ben", "wang", "group")}
    conn = await asyncpg.connect(url)
    await conn.execute(BEFORE.format_map(ids))
    await conn.close()

    async with start_api(database_url=url) as api:
        profile = models.User(id=ids["ben"], username="ben", display_name="Ben", avatar_url=None)
        ben = User(api.service, api.auth.tokens, profile.id, profile=profile)

        async def are_found() -> bool:
            return await bodies(ben, q="爸") == ["爸爸 300", "爸爸 1"]

        await eventually(are_found, message="not indexed")
        found = await ben.get("/v1/users", params={"search": "小明"})
        assert [user["display_name"] for user in found["items"]] == ["王小明"]
