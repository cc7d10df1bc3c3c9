"""Histories: users do anything at random, at once, with lost connections between; all end with the same state.

Hypothesis draws what they do. In the end each user's copy, made of live events and `sync` alone, equals a fresh load,
and no socket received anything that its user may not see. Some histories are played at once, each in a group of its
own. The 200 of CI are always the same; `HISTORIES=5000` plays so many, drawn anew: a failure is printed as the steps
that lead to it, and with the seed that plays them again (`HISTORIES_SEED=2100 HISTORIES=200 make test-histories`).
"""

import asyncio
import os
import random
import signal
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from synctalk_local.commands.key import key
from synctalk_systemtest.redis_faults import redis_of
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users, users_at

from tests.histories.play import Beginning, Cast, Host, Play
from tests.histories.steps import CAST, Step, steps

DEFAULT_HISTORIES = 200
HISTORIES = int(os.environ.get("HISTORIES", DEFAULT_HISTORIES))
SEED = int(os.environ.get("HISTORIES_SEED", 0 if HISTORIES == DEFAULT_HISTORIES else random.randrange(1_000_000)))
STEPS = 20
AT_ONCE = 4
CASTS = 2
"""For each that is played at once; they take turns, so that no user reaches the limits of messages."""
CHANCES = 100
"""How seldom a step harms the system itself."""


class World:
    """The running system, and a loop in a thread of its own to reach it from histories."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._ending = AsyncExitStack()
        self._host: Host | None = None
        self._users: Users | None = None

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def open(self) -> None:
        async def enter() -> Users:
            return await self._ending.enter_async_context(users_at(self.stack.url))

        self._users = self.run(enter())
        self._host = Host(self._users, key(self.stack.stack, "conversations messages"))

    def casts(self) -> list[Cast]:
        assert self._users is not None
        assert self._host is not None
        return [Cast(self.run(self._users.register_all(*"ABCD")), self._host) for _ in range(CASTS)]

    def close(self) -> None:
        self.run(self._ending.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def lose_subscriptions(self) -> None:
        """Cut the gateways off from what is published: whatever is on its way is lost."""
        async with redis_of(self.stack) as client:
            await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes")


@pytest.fixture
def world(stack: RunningStack) -> Iterator[World]:
    world = World(stack)
    try:
        world.open()
        yield world
    finally:
        world.close()


BEGINNING = threading.Lock()
"""Hypothesis parses source when it begins, and Python 3.11 fails to in two threads at once."""


def play_histories(world: World, seed_: int, count: int) -> None:
    """Play so many, one after the other; raises what the first that fails does."""
    casts = world.casts()
    begun = ExitStack()
    chances = st.integers(0, CHANCES - 1)

    class Histories(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            begun.close()
            casts.append(casts.pop(0))
            self.play = Play(casts[0])

        @initialize(beginning=st.builds(Beginning, st.booleans(), st.booleans(), st.booleans()))
        def begin(self, beginning: Beginning) -> None:
            world.run(self.play.begin(beginning))

        @rule(step=steps)
        def one_calls(self, step: Step) -> None:
            world.run(self.play.perform(step))

        @rule(first=steps, second=steps, third=steps)
        def some_call_at_once(self, first: Step, second: Step, third: Step) -> None:
            async def all_of_them() -> None:
                await asyncio.gather(*map(self.play.perform, (first, second, third)))

            world.run(all_of_them())

        @rule(who=st.integers(0, CAST - 1))
        def one_loses_the_connection(self, who: int) -> None:
            world.run(self.play.leave_network(who))

        @rule(who=st.integers(0, CAST - 1))
        def one_comes_back(self, who: int) -> None:
            world.run(self.play.come_back(who))

        @rule(chance=chances, gateway=st.integers(1, 2), at_once=st.booleans())
        def a_gateway_ends(self, chance: int, gateway: int, at_once: bool) -> None:
            if chance == CHANCES // 2:
                world.stack.kill(f"gateway-{gateway}", signal.SIGKILL if at_once else signal.SIGTERM)

        @rule(chance=chances)
        def subscriptions_are_lost(self, chance: int) -> None:
            if chance == CHANCES // 2:
                world.run(world.lose_subscriptions())

        def teardown(self) -> None:
            try:
                world.run(self.play.end())
            except BaseException:
                world.run(self.play.acting.part())
                raise

    options = settings(
        max_examples=count,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        # The steps of a failure are made fewer only where somebody waits for it.
        phases=[Phase.generate] if HISTORIES == DEFAULT_HISTORIES else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    with begun:
        begun.enter_context(BEGINNING)
        run_state_machine_as_test(seed(seed_)(Histories), settings=options)


@pytest.mark.timeout(30 * 60)
def test_histories__of_everything_at_random__end_with_the_same_state_for_all(world: World) -> None:
    print(f"HISTORIES_SEED={SEED}")  # noqa: T201
    with ThreadPoolExecutor(AT_ONCE) as threads:
        counts = [HISTORIES // AT_ONCE + (n < HISTORIES % AT_ONCE) for n in range(AT_ONCE)]
        played = [threads.submit(play_histories, world, SEED + n, count) for n, count in enumerate(counts) if count]
    failed = [error for each in played if (error := each.exception()) is not None]
    if failed:
        raise ExceptionGroup("histories", [error for error in failed if isinstance(error, Exception)])
