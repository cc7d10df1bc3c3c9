"""Links of messages: looked up once, and shown by api however long it is away."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from synctalk_contracts.events.messages import MessageCreated, MessageUpdated
from synctalk_contracts.internal import PreviewsMade
from synctalk_contracts.models import LinkPreview, Message
from synctalk_notifier.actions.link_previews import LinkPreviews
from synctalk_notifier.clients.web_pages import WebPages
from synctalk_notifier.store import pages
from synctalk_runtime.consuming import Published
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import serve_stub

from services.notifier.tests.harness import Conversation, NotifierUser, Rig


class Site:
    """A web site whose pages have their paths as titles, and what was asked of it."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path.startswith("/missing"):
            return web.Response(status=404)
        title = f"<title>Page {request.path}</title><meta name=description content='What it says'>"
        return web.Response(text=title, content_type="text/html")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made, app = Site(), web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    async with serve_stub(app) as url:
        made.url = url
        yield made


async def written(rig: Rig, body: str) -> tuple[NotifierUser, Conversation, Message]:
    ada = rig.user()
    conversation = await rig.conversation(ada)
    return ada, conversation, (await conversation.write(ada, body=body)).message


async def edit(rig: Rig, message: Message, *, at: datetime | None = None, **changes: Any) -> Message:
    """Publish the message as edited; `at`: as edited before, and changed in another way now."""
    now = utc_now()
    changed = message.model_copy(
        update={"change_seq": message.change_seq + 1, "edited_at": at or now} | changes,
    )
    await rig.publish(MessageUpdated(message=changed), time=now)
    return changed


def shown(rig: Rig, message: Message) -> list[PreviewsMade]:
    return [made for made in rig.upstreams.previews if made.message_id == message.id]


async def previews_of(rig: Rig, message: Message, times: int = 1) -> PreviewsMade:
    """Wait until api was given them so many times, and return the last ones."""
    await eventually(lambda: len(shown(rig, message)) >= times)
    return shown(rig, message)[-1]


async def test_message__with_links__gets_their_previews_in_sequence(rig: Rig, site: Site) -> None:
    first, missing, last = f"{site.url}/b", f"{site.url}/missing", f"{site.url}/a#part"
    ada, conversation, message = await written(rig, f"{first} {missing} {last} {site.url}/too-many")

    made = await previews_of(rig, message)

    assert (made.conversation_id, made.sender_id) == (conversation.id, ada.id)
    assert made.links == [first, missing, last]
    assert made.previews == [
        LinkPreview(url=first, title="Page /b", description="What it says", image_url=None),
        LinkPreview(url=last, title="Page /a", description="What it says", image_url=None),
    ]
    assert sorted(site.asked) == ["/a", "/b", "/missing"]


async def test_message__without_links_or_of_the_group_itself__is_not_noted(rig: Rig, site: Site) -> None:
    ada, conversation, plain = await written(rig, f"hello `{site.url}/code`")
    named = await conversation.write(ada, body=f"{site.url}/title", system={"type": "renamed", "title": "x"})
    linking = await conversation.write(ada, body=f"{site.url}/shown")

    await previews_of(rig, linking.message)

    async with rig.postgres.connection() as conn:
        noted = await conn.fetch("select message_id from linking_messages where conversation_id = $1", conversation.id)
    assert [row["message_id"] for row in noted] == [linking.message.id]
    assert not shown(rig, plain) + shown(rig, named.message)
    assert site.asked == ["/shown"]


@pytest.mark.parametrize(
    "link", ["https://example.org:99999/", "https://[v1.x]/", "https://xn--/", "https://a..b/", "https://" + "a" * 300]
)
async def test_link__that_is_no_url__has_no_preview(rig: Rig, link: str) -> None:
    _, _, message = await written(rig, link)

    made = await previews_of(rig, message)

    assert (made.links, made.previews) == ([link], [])


async def test_page__of_many_messages_at_once__is_asked_once(rig: Rig, site: Site) -> None:
    link = f"{site.url}/popular"
    ada = rig.user()
    conversation = await rig.conversation(ada)
    events = [conversation.message(ada, body=link) for _ in range(5)]
    await rig.publish(*events)

    made = [await previews_of(rig, event.message) for event in events]

    assert {preview.title for each in made for preview in each.previews} == {"Page /popular"}
    assert site.asked == ["/popular"]


async def test_page__that_says_nothing__is_known_to_for_a_while(rig: Rig, site: Site) -> None:
    link = f"{site.url}/missing"
    for _ in range(2):
        _, _, message = await written(rig, link)
        assert (await previews_of(rig, message)).previews == []
    assert site.asked == ["/missing"]

    await rig.postgres_execute("update pages set expires_at = $2 where key = $1", pages.key_of(link), utc_now())
    _, _, message = await written(rig, link)
    await previews_of(rig, message)
    assert site.asked == ["/missing"] * 2


async def test_edit__to_other_links__looks_these_up(rig: Rig, site: Site) -> None:
    _, _, message = await written(rig, f"{site.url}/before")
    await previews_of(rig, message)

    await edit(rig, message, body=f"{site.url}/after")

    assert (await previews_of(rig, message, 2)).links == [f"{site.url}/after"]


async def test_other_change__than_an_edit_of_the_links__is_none_of_ours(rig: Rig, site: Site) -> None:
    ada, conversation, message = await written(rig, f"{site.url}/page")
    (preview,) = (await previews_of(rig, message)).previews
    edited = await edit(rig, message, body=f"{site.url}/page!", previews=[preview])
    await edit(rig, edited, at=edited.edited_at, reactions={"👍": [ada.id]}, previews=[])

    later = await conversation.write(ada, body=f"{site.url}/later")

    await previews_of(rig, later.message)
    assert len(shown(rig, message)) == 1


async def test_event__again__changes_nothing(rig: Rig, site: Site) -> None:
    ada, conversation, message = await written(rig, f"{site.url}/page")
    await previews_of(rig, message)

    await rig.publish(MessageCreated(message=message))
    later = await conversation.write(ada, body=f"{site.url}/later")

    await previews_of(rig, later.message)
    assert len(shown(rig, message)) == 1


async def test_api__away__gets_them_when_it_is_back(rig: Rig, site: Site) -> None:
    rig.upstreams.down = True
    _, _, message = await written(rig, f"{site.url}/page")
    await eventually(lambda: site.asked == ["/page"])
    rig.upstreams.down = False

    assert (await previews_of(rig, message)).previews[0].title == "Page /page"
    assert site.asked == ["/page"]


async def test_process__that_died_at_it__is_succeeded_by_another(rig: Rig, site: Site) -> None:
    ada = rig.user()
    conversation = await rig.conversation(ada)
    message = conversation.message(ada, body=f"{site.url}/page").message
    web_pages = WebPages((), user_agent="x", timeout_s=1, max_bytes=1_024)
    day = timedelta(days=1)
    dead = LinkPreviews(rig.postgres, web_pages, rig.clients(), at_once=1, keep=day, keep_missing=day)
    async with rig.postgres.transaction() as conn:
        await dead.note(conn, [Published(new_id(), message.created_at, MessageCreated(message=message))])

    assert (await previews_of(rig, message)).links == [f"{site.url}/page"]


async def test_delete__forgets_the_message_and_what_its_pages_say(rig: Rig, site: Site) -> None:
    ada = rig.user()
    conversation = await rig.conversation(ada)
    event = await conversation.write(ada, body=f"{site.url}/page")
    await previews_of(rig, event.message)
    key = pages.key_of(f"{site.url}/page")

    async def rows() -> tuple[int, int]:
        async with rig.postgres.connection() as conn:
            kept = await conn.fetchval("select count(*) from pages where key = $1", key)
            noted = await conn.fetchval("select count(*) from linking_messages where message_id = $1", event.message.id)
        return noted, kept

    assert await rows() == (1, 1)
    await eventually(lambda: is_finished(rig, event.message))

    await conversation.delete(event)

    async def gone() -> bool:
        return await rows() == (0, 0)

    await eventually(gone)


async def is_finished(rig: Rig, message: Message) -> bool:
    async with rig.postgres.connection() as conn:
        row = await conn.fetchrow("select links, due_at from linking_messages where message_id = $1", message.id)
    assert row is not None
    return row["due_at"] is None and row["links"] == []


async def test_message__that_nothing_comes_of__is_given_up(rig: Rig, site: Site) -> None:
    rig.upstreams.down = True
    _, _, message = await written(rig, f"{site.url}/page")
    await eventually(lambda: site.asked == ["/page"])
    long_ago = utc_now() - timedelta(hours=2)
    await rig.postgres_execute("update linking_messages set noted_at = $2 where message_id = $1", message.id, long_ago)
    await eventually(lambda: is_finished(rig, message))
    rig.upstreams.down = False
    assert shown(rig, message) == []


async def test_old__is_forgotten(rig: Rig, site: Site) -> None:
    _, _, message = await written(rig, f"{site.url}/page")
    await previews_of(rig, message)
    await eventually(lambda: is_finished(rig, message))
    long_ago, key = utc_now() - timedelta(days=2), pages.key_of(f"{site.url}/page")
    await rig.postgres_execute("update linking_messages set noted_at = $2 where message_id = $1", message.id, long_ago)
    await rig.postgres_execute("update pages set expires_at = $2 where key = $1", key, long_ago)
    web_pages, day = WebPages((), user_agent="x", timeout_s=1, max_bytes=1_024), timedelta(days=1)
    cleaning = LinkPreviews(rig.postgres, web_pages, rig.clients(), at_once=1, keep=day, keep_missing=day)

    assert await cleaning.forget_old() is False

    async with rig.postgres.connection() as conn:
        assert await conn.fetchval("select count(*) from linking_messages where message_id = $1", message.id) == 0
        assert await conn.fetchval("select count(*) from pages where key = $1", key) == 0
