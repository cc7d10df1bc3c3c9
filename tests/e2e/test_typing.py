"""Typing: shown to the other members, and over by itself."""

from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, User, Users

ENDS_AFTER_S = 6.0
SLACK_S = 1.5


async def group_of_three(users: Users) -> tuple[User, User, User, str]:
    ada, bob, cy = await users.register_all("Ada", "Bob", "Cy")
    return ada, bob, cy, (await ada.group_with(bob, cy))["id"]


async def shown(live: LiveSocket, conversation_id: str, user: User, *, active: bool, within_s: float = 10) -> float:
    """Return when the socket was notified, by the monotonic clock."""
    wanted = {"conversation_id": conversation_id, "user_id": user.id, "active": active}
    await live.wait_for("typing", lambda payload: payload == wanted, within_s)
    return next(event.at for event in live.events if event.event == "typing" and event.payload == wanted)


async def test_typing__for_an_unrelated_user__is_not_found(users: Users) -> None:
    ada, eve = await users.register_all("Ada", "Eve")
    group = (await ada.group_with())["id"]
    live = await eve.connect()

    for event in ("typing:start", "typing:stop"):
        assert (await live.refusal(event, {"conversation_id": group}))["code"] == "not_found"


async def test_typing__is_shown_to_the_others_on_both_gateways_and_never_to_oneself(
    users: Users, stack: RunningStack
) -> None:
    ada, bob, cy, group = await group_of_three(users)
    typing, beside = await ada.connect(), await ada.connect()
    of_bob = await bob.connect(at=stack.internal_url("gateway-1"))
    of_cy = await cy.connect(at=stack.internal_url("gateway-2"))
    await typing.done("typing:start", {"conversation_id": group})
    for live in (of_bob, of_cy):
        await shown(live, group, ada, active=True)
    await typing.done("typing:stop", {"conversation_id": group})
    for live in (of_bob, of_cy):
        await shown(live, group, ada, active=False)

    await typing.say(group, "done")
    await beside.wait_for("message:new")
    assert typing.of("typing") == beside.of("typing") == []


async def test_typing__ends_with_the_message(users: Users) -> None:
    ada, bob, _, group = await group_of_three(users)
    typing, of_bob = await ada.connect(), await bob.connect()
    await typing.done("typing:start", {"conversation_id": group})
    await shown(of_bob, group, ada, active=True)
    await typing.say(group, "said")

    assert (
        await shown(of_bob, group, ada, active=False) - await shown(of_bob, group, ada, active=True) < ENDS_AFTER_S - 1
    )


async def test_typing__ends_with_the_socket(users: Users) -> None:
    ada, bob, _, group = await group_of_three(users)
    typing, of_bob = await ada.connect(), await bob.connect()
    await typing.done("typing:start", {"conversation_id": group})
    began = await shown(of_bob, group, ada, active=True)
    await typing.close()

    assert await shown(of_bob, group, ada, active=False) - began < ENDS_AFTER_S - 1


async def test_typing__without_a_renewal__ends_by_itself(users: Users) -> None:
    ada, bob, _, group = await group_of_three(users)
    typing, of_bob = await ada.connect(), await bob.connect()
    await typing.done("typing:start", {"conversation_id": group})
    began = await shown(of_bob, group, ada, active=True)
    ended = await shown(of_bob, group, ada, active=False, within_s=ENDS_AFTER_S + SLACK_S)

    assert ENDS_AFTER_S - SLACK_S < ended - began < ENDS_AFTER_S + SLACK_S
