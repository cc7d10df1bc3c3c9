"""Places for connections that are let in: one user takes a few of them at most."""

import asyncio
from collections.abc import Callable

import pytest
from synctalk_gateway.gate import Gate
from synctalk_gateway.settings import Settings
from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import UnavailableError
from synctalk_testkit.eventually import eventually


class Crowd:
    """A gate, and those who come."""

    def __init__(self, settings: Settings) -> None:
        self.gate = Gate(settings)
        self.inside: list[str] = []
        self.turned_away: list[str] = []
        self.open = asyncio.Event()
        self.tasks = Tasks()

    def come(self, user_id: str, times: int = 1) -> None:
        for _ in range(times):
            self.tasks.spawn("come", self._come(user_id))

    async def _come(self, user_id: str) -> None:
        try:
            async with self.gate.place(user_id):
                self.inside.append(user_id)
                await self.open.wait()
        except UnavailableError:
            self.turned_away.append(user_id)


async def test_place__one_user_with_many_slow_connections__leaves_places_for_others(
    make_settings: Callable[..., Settings],
) -> None:
    crowd = Crowd(make_settings(concurrent_connects=6, concurrent_connects_per_user=4))
    crowd.come("eve", 40)
    await eventually(lambda: len(crowd.inside) == 4)
    crowd.come("ada")
    crowd.come("bob")

    await eventually(lambda: {"ada", "bob"} < set(crowd.inside))
    assert crowd.inside.count("eve") == 4
    crowd.open.set()
    await eventually(lambda: crowd.inside.count("eve") == 40)


@pytest.mark.parametrize("limits", [{"max_connections_per_user": 5}, {"max_waiting_connects": 5}])
async def test_place__too_many_wait__turns_away(make_settings: Callable[..., Settings], limits: dict[str, int]) -> None:
    crowd = Crowd(make_settings(**limits))
    crowd.come("eve", 7)
    await eventually(lambda: len(crowd.turned_away) == 2)
    crowd.open.set()
    await eventually(lambda: len(crowd.inside) == 5)
    crowd.come("eve", 5)

    await eventually(lambda: len(crowd.inside) == 10)
