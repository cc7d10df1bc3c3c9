"""Makes previews of the links in messages: notes who has some, looks the pages up, and lets api show what they say.

A message that was noted is worked on until api has its previews, by whichever process is there. A page is looked up
once for all messages that name it, by one process at a time, and what it says, or that it says nothing, is known for a
while. One host is asked one thing at a time, with pauses.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from synctalk_contracts.events.messages import MessageCompleted, MessageCreated, MessageDeleted, MessageUpdated
from synctalk_contracts.internal import PreviewsMade
from synctalk_contracts.links import links_of
from synctalk_contracts.models import LinkPreview, Message
from synctalk_runtime.background import Loop, Tasks, jittered
from synctalk_runtime.consuming import Published
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_notifier import page_text
from synctalk_notifier.actions.metrics import LINKS
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.clients.web_pages import NoPageError, WebPages, host_of
from synctalk_notifier.store import linking_messages, pages
from synctalk_notifier.store.linking_messages import Claimed, Linking
from synctalk_notifier.store.pages import PageText

INTERVAL_S = 1.0
MIN_PAUSE_S = 0.02
LEASE_S = 60.0
"""More than the links of one message take."""
FIRST_PAUSE_S, MAX_PAUSE_S = 0.2, 60.0
GIVE_UP_S = 3_600.0
HOST_PAUSE_S = 0.2
FORGET_AT_ONCE = 1_000


class _BusyError(Exception):
    """The page's host is being asked something, or somebody else is looking the page up."""


class LinkPreviews:
    def __init__(
        self,
        postgres: Postgres,
        web: WebPages,
        upstreams: Upstreams,
        *,
        at_once: int,
        keep: timedelta,
        keep_missing: timedelta,
    ) -> None:
        self._postgres = postgres
        self._web = web
        self._upstreams = upstreams
        self._at_once = at_once
        self._keep = keep
        self._keep_missing = keep_missing
        self._hosts = _Hosts()
        self._under_way = Tasks()
        self._loop = Loop("link-previews", self._begin_due, INTERVAL_S, min_pause_s=MIN_PAUSE_S)
        self.start = self._loop.start
        self.wake = self._loop.wake
        """There may be messages that were noted."""

    async def stop(self) -> None:
        """Leave what is under way: another process looks it up once more."""
        await self._loop.stop()
        await self._under_way.stop()

    async def note(self, conn: Connection, published: Sequence[Published]) -> None:
        """Note the messages that have got links, and forget those that are deleted. Repeats change nothing."""
        linking = {found.message_id: found for one in published if (found := _linking(one)) is not None}
        if linking:
            await linking_messages.note(conn, list(linking.values()), utc_now())
        deleted = [one.event.message.id for one in published if isinstance(one.event, MessageDeleted)]
        if deleted:
            await linking_messages.forget(conn, deleted)

    async def forget_old(self) -> bool:
        """Forget what has been kept for long enough. Return whether there may be more."""
        now = utc_now()
        async with self._postgres.transaction() as conn:
            more_messages = await linking_messages.forget_old(conn, now - self._keep, FORGET_AT_ONCE)
            more_pages = await pages.forget_old(conn, now, FORGET_AT_ONCE)
        return more_messages or more_pages

    async def _begin_due(self) -> bool:
        """Return whether there may be more to do at once."""
        free = self._at_once - len(self._under_way)
        if free <= 0:
            return False
        now = utc_now()
        async with self._postgres.transaction() as conn:
            due = await linking_messages.claim(conn, now, now + timedelta(seconds=LEASE_S), free)
        for claimed in due:
            self._under_way.spawn("link-preview", self._make(claimed))
        return False

    async def _make(self, claimed: Claimed) -> None:
        try:
            if utc_now() - claimed.noted_at > timedelta(seconds=GIVE_UP_S):
                LINKS.labels("given_up").inc()
                await self._finish(claimed.message, [])
            else:
                await self._show(claimed.message)
        except (_BusyError, UnavailableError):
            await self._postpone(claimed)
        finally:
            self._loop.wake()

    async def _show(self, message: Linking) -> None:
        """Look the links up, and let api show what there is. Raises _BusyError, UnavailableError."""
        texts = {link: await self._look_up(link) for link in message.links}
        made = PreviewsMade(
            conversation_id=message.conversation_id,
            message_id=message.message_id,
            sender_id=message.sender_id,
            links=message.links,
            previews=[_preview(link, text) for link, text in texts.items() if text is not None],
        )
        try:
            await self._upstreams.show_previews(made)
        except NotFoundError:  # the conversation is not there
            LINKS.labels("not_found").inc()
        await self._finish(message, [pages.key_of(link) for link in message.links])

    async def _look_up(self, link: str) -> PageText | None:
        """Return what the page behind the link says; None: nothing. Raises _BusyError."""
        key, now = pages.key_of(link), utc_now()
        async with self._postgres.connection() as conn:
            is_known, text = await pages.known(conn, key, now)
        if is_known:
            LINKS.labels("known").inc()
            return text
        with self._hosts.asking(host_of(link)):
            async with self._postgres.transaction() as conn:
                if not await pages.claim(conn, key, now, now + timedelta(seconds=LEASE_S)):
                    raise _BusyError
            text = await self._fetch(link)
            until = utc_now() + (self._keep_missing if text is None else self._keep)
            async with self._postgres.transaction() as conn:
                await pages.keep(conn, key, text, until)
        return text

    async def _fetch(self, link: str) -> PageText | None:
        try:
            page = await self._web.get(link)
        except NoPageError as error:
            LINKS.labels(str(error)).inc()
            return None
        # In a thread: half a megabyte of markup takes some milliseconds, in which pushes would wait.
        text = await asyncio.to_thread(page_text.text_of, page)
        LINKS.labels("untitled" if text is None else "made").inc()
        return text

    async def _postpone(self, claimed: Claimed) -> None:
        async with self._postgres.transaction() as conn:
            await linking_messages.postpone(conn, claimed.message, _next_try(claimed.attempts, utc_now()))

    async def _finish(self, message: Linking, keys: Sequence[bytes]) -> None:
        async with self._postgres.transaction() as conn:
            await linking_messages.finish(conn, message, keys)


class _Hosts:
    """Which hosts are being asked something, or have just been."""

    def __init__(self) -> None:
        self._asked: set[str] = set()

    @contextmanager
    def asking(self, host: str) -> Iterator[None]:
        """Ask the host something in this context. Raises _BusyError."""
        if host in self._asked:
            raise _BusyError
        self._asked.add(host)
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(HOST_PAUSE_S, self._asked.discard, host)


def _next_try(attempts: int, now: datetime) -> datetime:
    return now + timedelta(seconds=jittered(min(FIRST_PAUSE_S * 2 ** min(attempts, 10), MAX_PAUSE_S)))


def _preview(link: str, text: PageText) -> LinkPreview:
    return LinkPreview(url=link, title=text.title, description=text.description, image_url=text.image_url)


def _linking(published: Published) -> Linking | None:
    """Return the message if the event gave it links of which it has no previews yet."""
    event = published.event
    match event:
        case MessageCreated() | MessageCompleted():
            message = event.message
        case MessageUpdated() if event.message.edited_at == published.time:  # else it is another change than an edit
            message = event.message
        case _:
            return None
    links = [] if message.system is not None or message.streaming else links_of(message.body)
    if not links or links == [preview.url for preview in message.previews]:
        return None
    return _of(message, links)


def _of(message: Message, links: list[str]) -> Linking:
    return Linking(message.id, message.conversation_id, message.sender_id, message.change_seq, links)
