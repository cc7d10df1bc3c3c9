"""Packets are handled in order, one by one; a full inbox says so and says when it is not; a dead worker is seen."""

import asyncio
import sys

import pytest
from synctalk_gateway.protocol.inbox import Inbox, Item
from synctalk_testkit.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Owner:
    """Keeps what it is given; `gate` lets one through for each permit."""

    def __init__(self) -> None:
        self.handled: list[Item] = []
        self.spaces = 0
        self.deaths: list[BaseException | None] = []
        self.gate = asyncio.Semaphore(0)
        self.fails_with: BaseException | None = None

    async def handle(self, item: Item) -> None:
        await self.gate.acquire()
        if self.fails_with is not None:
            raise self.fails_with
        self.handled.append(item)

    def on_space(self) -> None:
        self.spaces += 1

    def on_worker_died(self, error: BaseException | None) -> None:
        self.deaths.append(error)

    def let(self, count: int) -> None:
        for _ in range(count):
            self.gate.release()


@pytest.fixture
def owner() -> Owner:
    return Owner()


async def test_items__in_order__are_handled_one_by_one(owner: Owner) -> None:
    inbox = Inbox(owner, 10, 100)
    for item in "abc":
        inbox.put(item)
    owner.let(2)
    await eventually(lambda: owner.handled == ["a", "b"])
    owner.let(1)
    await eventually(lambda: owner.handled == ["a", "b", "c"])
    inbox.put("d")
    owner.let(1)
    await eventually(lambda: owner.handled == ["a", "b", "c", "d"])


async def test_item__first_of_a_turn__is_handled_in_it_where_python_can() -> None:
    turns: list[str] = []

    class Quick(Owner):
        async def handle(self, item: Item) -> None:
            turns.append(str(item))

    inbox = Inbox(Quick(), 10, 100)
    inbox.put("a")
    assert turns == (["a"] if sys.version_info >= (3, 12) else [])
    inbox.put("b")  # as of the same read: others have their turn first
    assert "b" not in turns
    await eventually(lambda: turns == ["a", "b"])


@pytest.mark.parametrize("items", [["x"] * 10, ["x" * 50, "x" * 50]])
async def test_inbox__at_a_bound__is_full_until_half_of_it_is_worked_off(owner: Owner, items: list[str]) -> None:
    inbox = Inbox(owner, 10, 100)
    inbox.pause()
    for item in items:
        assert not inbox.full
        inbox.put(item)
    assert inbox.full
    inbox.resume()
    waiting = asyncio.create_task(inbox.wait_for_space())
    owner.let(len(items))
    await waiting
    assert not inbox.full
    assert owner.spaces == 1


async def test_inbox__paused__handles_nothing_until_it_is_resumed(owner: Owner) -> None:
    inbox = Inbox(owner, 10, 100)
    owner.let(10)
    inbox.pause()
    inbox.put("a")
    await asyncio.sleep(0)
    assert owner.handled == []
    inbox.resume()
    await eventually(lambda: owner.handled == ["a"])


async def test_inbox__cleared__has_space_and_forgets(owner: Owner) -> None:
    inbox = Inbox(owner, 2, 100)
    for item in "abc":
        inbox.put(item)
    inbox.clear()
    assert (len(inbox), inbox.full, owner.spaces) == (0, False, 1)


@pytest.mark.parametrize("error", [RuntimeError(), asyncio.CancelledError()])
async def test_worker__that_dies__is_seen(owner: Owner, error: BaseException) -> None:
    inbox = Inbox(owner, 10, 100)
    owner.fails_with = error
    inbox.put("a")
    owner.let(1)
    await eventually(lambda: len(owner.deaths) == 1)
    assert owner.deaths == [error if isinstance(error, Exception) else None]


async def test_items__of_two_inboxes__take_turns() -> None:
    """However much one socket has sent, between two of its packets the loop goes round."""
    turns: list[str] = []

    class Quick(Owner):
        async def handle(self, item: Item) -> None:
            turns.append(str(item))

    first, second = Inbox(Quick(), 1_000, 10_000), Inbox(Quick(), 1_000, 10_000)
    for _ in range(100):
        first.put("first")
    second.put("second")
    await eventually(lambda: len(turns) == 101)
    assert turns.index("second") <= 2


@pytest.mark.parametrize(("items", "left"), [(["x"] * 10, 5), (["x" * 10] * 10, 5)])
async def test_inbox__has_space_at_half_of_its_bound(owner: Owner, items: list[str], left: int) -> None:
    inbox = Inbox(owner, 10, 100)
    inbox.pause()
    for item in items:
        inbox.put(item)
    inbox.resume()
    owner.let(len(items) - left - 2)
    await eventually(lambda: len(inbox) == left + 1)
    assert inbox.full
    owner.let(1)
    await eventually(lambda: len(inbox) == left)
    assert not inbox.full
