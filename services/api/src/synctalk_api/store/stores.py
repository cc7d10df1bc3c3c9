"""The stores: PostgreSQL databases, or schemas of one, that have the conversations between them.

Each partition of the conversations lies in one store, by the map in the main store; everything of a conversation lies
with it. What belongs to a user lies wherever their conversations do, so it is asked of every store and merged. A store
that is away takes only its own conversations with it. With one store, which is the default, none of this costs a
statement.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from pydantic import SecretStr
from synctalk_contracts.topology import partition_of
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Connection, Postgres
from synctalk_runtime.service import Service

from synctalk_api.settings import MAIN, Settings
from synctalk_api.store import conversations, members, partitions

log = structlog.get_logger()

T = TypeVar("T")

TRIES = 10
SLOW_S, HUNG_S = 0.25, 1.0
"""After how long a failed read says that a store hangs, which one that is down does not; how long that is believed."""


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """One store: its connections, in pools of their own, so that no kind of work takes those of another."""

    name: str
    postgres: Postgres
    """For gateways and for work in the background."""
    reads: Postgres
    """For look-ups over REST."""
    writes: Postgres
    """For the writer."""
    changes: Postgres
    """For changes of conversations and members."""
    relay: OutboxRelay
    replica: Postgres | None = None
    """For look-ups over REST that read much, where it has caught up."""

    @classmethod
    def of(cls, name: str, service: Service, settings: Settings) -> "Store":
        """Open, run and close the store with the service."""
        primary, replica = settings.addresses_of_stores[name], settings.api_replicas.get(name)

        def pool(kind: str, size: int, address: SecretStr = primary) -> Postgres:
            chosen = settings.model_copy(update={"database_url": address, "database_pool_size": size})
            return service.opening(Postgres(chosen, kind if name == MAIN else f"{name}.{kind}"))

        postgres = pool("main", settings.database_pool_size)
        return cls(
            name=name,
            postgres=postgres,
            reads=pool("reads", settings.database_read_pool_size),
            writes=pool("writes", settings.database_write_pool_size),
            changes=pool("changes", settings.database_change_pool_size),
            relay=service.running(OutboxRelay(postgres, service.bus, settings.outbox_interval_s)),
            replica=pool("replica", settings.database_read_pool_size, replica) if replica else None,
        )

    @asynccontextmanager
    async def reading_at(self, reached: Mapping[str, int]) -> AsyncIterator[Connection]:
        """A connection for reading much of these conversations: the replica's, where it has their `change_seq`s."""
        async with AsyncExitStack() as stack:
            copy = await self._copy_at(stack, reached) if self.replica is not None else None
            yield copy if copy is not None else await stack.enter_async_context(self.reads.connection())

    async def _copy_at(self, stack: AsyncExitStack, reached: Mapping[str, int]) -> "Connection | None":
        assert self.replica is not None
        try:
            copy = await stack.enter_async_context(self.replica.snapshot())
            heads = await conversations.heads(copy, list(reached))
        except UnavailableError:
            return None
        return copy if all(heads.get(each, -1) >= change_seq for each, change_seq in reached.items()) else None


class MovedError(UnavailableError):
    """The conversation has just got another store: the same again is likely to succeed."""


Read = Callable[[Store], Awaitable[T]]
"""A read of one store."""


@dataclass(frozen=True, slots=True)
class Answers(Generic[T]):
    """What the stores answered, those that did."""

    by_store: dict[Store, T]
    complete: bool
    """No store was away."""

    @property
    def values(self) -> Sequence[T]:
        return list(self.by_store.values())


class Stores:
    """Which store has which conversation."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self.all = tuple(stores)
        self.main = self.all[0]
        self._by_name = {store.name: store for store in stores}
        self._places: Sequence[str] = ()
        """The store's name by partition; empty: all are in the main one."""
        self._moving: frozenset[int] = frozenset()
        self._left: dict[Store, set[int]] = {}
        """The partitions that had left each store when all were read last."""
        self._hung_until: dict[Store, float] = {}
        """Of stores that did not answer in time: until when they are taken for away, in monotonic seconds."""
        self._listeners: list[Callable[[], None]] = []

    def add_listener(self, on_outdated: Callable[[], None]) -> None:
        """Call this when a conversation is not where the map says."""
        self._listeners.append(on_outdated)

    def take(self, places: Sequence[str], moving: Iterable[int]) -> None:
        """Go by this map from now on."""
        self._places, self._moving = places, frozenset(moving)

    @property
    def several(self) -> bool:
        return len(self.all) > 1

    def of(self, conversation_id: str) -> Store:
        """Return the conversation's store. Raises UnavailableError: this process has no address of it."""
        return self._at(partition_of(conversation_id))

    def _at(self, partition: int) -> Store:
        if not self._places:
            return self.main
        name = self._places[partition]
        store = self._by_name.get(name)
        if store is None:
            log.error("stores.unknown", store=name)
            raise UnavailableError
        return store

    def is_moving(self, conversation_id: str) -> bool:
        """Return whether the conversation is about to get another store: nothing is written meanwhile."""
        return bool(self._moving) and partition_of(conversation_id) in self._moving

    def grouped(self, conversation_ids: Iterable[str]) -> dict[Store, list[str]]:
        """Return the conversations by store."""
        groups: dict[Store, list[str]] = {}
        for conversation_id in conversation_ids:
            groups.setdefault(self.of(conversation_id), []).append(conversation_id)
        return groups

    @asynccontextmanager
    async def reading(self, conversation_id: str) -> AsyncIterator[Connection]:
        """A connection for look-ups over REST in the conversation's store.

        Raises MovedError instead of NotFoundError where the conversation has been moved away.
        """
        store = self.of(conversation_id)
        try:
            async with store.reads.connection() as conn:
                yield conn
        except NotFoundError:
            await self.require_here(store, [conversation_id])
            raise

    @asynccontextmanager
    async def reading_partition(self, partition: int) -> AsyncIterator[Connection]:
        """The same for who knows only in which partition the conversation is."""
        store = self._at(partition)
        try:
            async with store.reads.connection() as conn:
                yield conn
        except NotFoundError:
            if self.several and partition in await _moved(store):
                self._is_outdated()
                raise MovedError from None
            raise

    @asynccontextmanager
    async def reading_much(self, conversation_id: str, user_id: str | None) -> AsyncIterator[Connection]:
        """The same for a member who reads much of it: on the replica, where it shows all that the primary does.

        Raises NotFoundError when the user is no member. None: a server key, which reads the primary.
        """
        async with AsyncExitStack() as stack:
            conn = await stack.enter_async_context(self.reading(conversation_id))
            replica = self.of(conversation_id).replica
            if replica is not None and user_id is not None:
                here = await members.position(conn, conversation_id, user_id)
                if here is None:
                    raise NotFoundError
                copy = await self._caught_up(replica, stack, conversation_id, user_id, here)
                conn = copy or conn
            yield conn

    @staticmethod
    async def _caught_up(
        replica: Postgres, stack: AsyncExitStack, conversation_id: str, user_id: str, here: members.Position
    ) -> "Connection | None":
        try:
            conn = await stack.enter_async_context(replica.snapshot())
            there = await members.position(conn, conversation_id, user_id)
        except UnavailableError:
            return None
        return conn if there is not None and there.reaches(here) else None

    @asynccontextmanager
    async def changing(self, conversation_id: str) -> AsyncIterator[Connection]:
        """A transaction that changes the conversation, with its events; raises like `reading`."""
        if self.is_moving(conversation_id):
            raise UnavailableError
        store = self.of(conversation_id)
        try:
            async with store.changes.transaction() as conn:
                yield conn
        except NotFoundError:
            await self.require_here(store, [conversation_id])
            raise
        store.relay.wake()

    async def require_here(self, store: Store, conversation_ids: Iterable[str]) -> None:
        """Raise MovedError when one of these has been moved away from the store."""
        if await self.moved_away(store, conversation_ids):
            raise MovedError

    async def moved_away(self, store: Store, conversation_ids: Iterable[str]) -> set[str]:
        """Return those of the conversations, not found in the store, that have been moved away from it."""
        wanted = list(conversation_ids) if self.several else []
        if not wanted:
            return set()
        moved = await _moved(store)
        gone = {conversation_id for conversation_id in wanted if partition_of(conversation_id) in moved}
        if gone:
            self._is_outdated()
        return gone

    def _is_outdated(self) -> None:
        for on_outdated in self._listeners:
            on_outdated()

    async def each(self, groups: Iterable[Store], read: Read[T]) -> Answers[T]:
        """Read these stores at once. Raises UnavailableError: there are some, and all of them are away."""
        stores = list(groups)
        if len(stores) == 1:
            return Answers({stores[0]: await read(stores[0])}, complete=True)
        results = await asyncio.gather(*(self._in_time(store, read) for store in stores), return_exceptions=True)
        answered: dict[Store, T] = {}
        for store, result in zip(stores, results, strict=True):
            if isinstance(result, UnavailableError) and not isinstance(result, MovedError):
                log.warning("stores.away", store=store.name)
            elif isinstance(result, BaseException):
                raise result
            else:
                answered[store] = result
        if stores and not answered:
            raise UnavailableError
        return Answers(answered, complete=len(answered) == len(stores))

    async def _in_time(self, store: Store, read: Read[T]) -> T:
        """Read the store; one that has just hung is not waited for, but by one read a second.

        Else each read of several stores would take as long as a statement may, while one of them hangs.
        """
        began = time.monotonic()
        if began < self._hung_until.get(store, began):
            raise UnavailableError
        if store in self._hung_until:
            self._hung_until[store] = began + HUNG_S
        try:
            found = await read(store)
        except UnavailableError:
            if time.monotonic() - began > SLOW_S:
                self._hung_until[store] = time.monotonic() + HUNG_S
            raise
        self._hung_until.pop(store, None)
        return found

    async def everywhere(self, read: Read[T]) -> Answers[T]:
        """Read every store at once, and again when a conversation that moved meanwhile may have been missed.

        A conversation arrives in its new store before it is removed from the old one, where a trace of it stays.
        Raises UnavailableError: all of them are away, or one conversation after the other is moved.
        """
        if not self.several:
            return await self.each(self.all, read)
        for _ in range(TRIES):
            before = self._left
            answers = await self.each(self.all, read)
            self._left = (await self.each(answers.by_store, _moved)).by_store
            if all(left <= before.get(store, set()) for store, left in self._left.items()):
                return answers
            self._is_outdated()
        raise UnavailableError

    async def again(self, read: Callable[[], Awaitable[T]]) -> T:
        """Read, and again while a conversation is moved between one step and the next. Raises UnavailableError."""
        for _ in range(TRIES):
            with suppress(MovedError):
                return await read()
        raise UnavailableError

    async def check(self) -> None:
        """Raise unless one of them answers, for readiness."""

        async def ping(store: Store) -> None:
            await store.postgres.check()

        await self.each(self.all, ping)


async def _moved(store: Store) -> set[int]:
    async with store.postgres.connection() as conn:
        return await partitions.moved(conn)
