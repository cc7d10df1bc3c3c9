"""The projection of memberships, built anew from api."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from synctalk_contracts.internal import Membership
from synctalk_contracts.models import Role
from synctalk_notifier.actions.rebuild import rebuild
from synctalk_runtime.errors import UnavailableError

if TYPE_CHECKING:
    from services.notifier.tests.harness import Conversation, NotifierUser, Rig


def membership(
    conversation: Conversation, user: NotifierUser, *, change_seq: int = 1, present: bool = True
) -> Membership:
    return Membership(conversation_id=conversation.id, user_id=user.id, present=present, change_seq=change_seq)


async def run(rig: Rig, after: str | None = None) -> int:
    clients = rig.clients()
    try:
        return await rebuild(rig.postgres, clients, after)
    finally:
        await clients.close()


async def test_rebuild__events_were_lost__a_message_of_before_and_later_ones_are_pushed(rig: Rig) -> None:
    ada, bob, cas = rig.user(), rig.user(), rig.user()
    tokens = [await bob.add_device(), await cas.add_device()]
    conversation, _ = rig.created(ada, bob, cas)
    await conversation.write(ada)
    await rig.settled()
    assert [rig.pushed(token) for token in tokens] == [[], []]
    rig.upstreams.memberships = [membership(conversation, user) for user in (ada, bob, cas)]
    assert await run(rig) == 3
    await conversation.write(ada)
    for token in tokens:
        assert [one.message["data"]["seq"] for one in await rig.pushes(token, 2)] == ["1", "2"]


async def test_rebuild__beside_newer_events__changes_nothing_of_theirs(rig: Rig) -> None:
    ada, bob, cas = rig.user(), rig.user(), rig.user()
    left, came = await bob.add_device(), await cas.add_device()
    conversation = await rig.conversation(ada, bob)
    before = [membership(conversation, bob), membership(conversation, cas, present=False)]
    await rig.publish(conversation.member_changed(bob, None), conversation.member_changed(cas, Role.MEMBER))
    await rig.settled()
    rig.upstreams.memberships = before
    await run(rig)
    await conversation.write(ada)
    await rig.pushes(came, 1)
    await rig.settled()
    assert rig.pushed(left) == []


async def test_rebuild__interrupted__goes_on_where_it_stopped(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device()
    conversations = [rig.created(ada, bob)[0] for _ in range(3)]
    rig.upstreams.memberships = [membership(each, user) for each in conversations for user in (ada, bob)]
    rig.upstreams.down = True
    try:
        with pytest.raises(UnavailableError):
            await run(rig)
    finally:
        rig.upstreams.down = False
    assert await run(rig, "4") == 2
    for conversation in conversations:
        await conversation.write(ada)
    [received] = await rig.pushes(token, 1)
    await rig.settled()
    assert received.message["data"]["conversation_id"] == conversations[2].id
    assert len(rig.pushed(token)) == 1
