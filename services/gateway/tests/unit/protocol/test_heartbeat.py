"""The server pings, one pong answers; silence ends the session unless it is our own doing."""

import pytest
from synctalk_gateway.protocol.heartbeat import Heartbeat
from synctalk_testkit.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Watched:
    """A heartbeat of some milliseconds, with what it did."""

    def __init__(self, *, excused: bool = False) -> None:
        self.pings = 0
        self.lost = False
        self.excused = excused
        self.asked = 0
        self.heartbeat = Heartbeat(0.005, 0.05, self._ping, self._is_excused, self._lose)
        self.heartbeat.start()

    def _ping(self) -> None:
        self.pings += 1

    def _is_excused(self) -> bool:
        self.asked += 1
        return self.excused

    def _lose(self) -> None:
        self.lost = True


async def test_heartbeat__answered__goes_on() -> None:
    watched = Watched()
    for number in range(1, 4):
        await eventually(lambda number=number: watched.pings == number)  # type: ignore[misc]
        assert watched.heartbeat.pong_due
        watched.heartbeat.on_pong()
        assert not watched.heartbeat.pong_due
    watched.heartbeat.stop()


async def test_heartbeat__unanswered__is_lost() -> None:
    watched = Watched()
    await eventually(lambda: watched.lost)
    assert watched.pings == 1


async def test_heartbeat__unanswered_since_nothing_is_read__waits_on() -> None:
    watched = Watched(excused=True)
    await eventually(lambda: watched.asked == 3)
    assert not watched.lost
    watched.excused = False
    await eventually(lambda: watched.lost)


async def test_heartbeat__stopped__is_silent() -> None:
    stopped, later = Watched(), Watched()
    stopped.heartbeat.stop()
    await eventually(lambda: later.pings == 1)
    later.heartbeat.stop()
    assert stopped.pings == 0
