"""An upgrade: one websocket at a time, one answer to its probe, out of order it is given up."""

from typing import Any

import pytest
from picows import WSCloseCode
from synctalk_gateway.protocol.candidate import MAX_UPGRADES, Candidate
from synctalk_gateway.protocol.websocket import WebSocketConnection
from synctalk_runtime.errors import ConflictError
from synctalk_testkit.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


class RecordingWebSocket(WebSocketConnection):
    """Keeps what is written to it, and with what it was closed."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed: list[WSCloseCode] = []

    def write(self, frame: bytes) -> None:
        self.written.append(frame)

    def close(self, code: WSCloseCode = WSCloseCode.OK, reason: str = "", wait_s: float = 0) -> None:
        self.closed.append(code)


class Upgrade:
    """A candidate with what it said."""

    def __init__(self, timeout_s: float = 60) -> None:
        self.probes = 0
        self.taken: list[Any] = []
        self.candidate = Candidate(timeout_s, self._probed, self.taken.append)

    def _probed(self) -> None:
        self.probes += 1


async def test_probe__ten_thousand_times__is_answered_once() -> None:
    upgrade, websocket = Upgrade(), RecordingWebSocket()
    upgrade.candidate.begin(websocket)
    for _ in range(10_000):
        upgrade.candidate.on_text(websocket, "2probe")
    assert (len(websocket.written), upgrade.probes, websocket.closed) == (1, 1, [])
    upgrade.candidate.on_text(websocket, "5")
    assert upgrade.taken == [websocket]
    assert not upgrade.candidate.probed


@pytest.mark.parametrize("packets", [["5"], ["4"], ["2probe", "4"], ["2probe", "2probe", ""]])
async def test_packets__out_of_order__give_the_websocket_up(packets: list[str]) -> None:
    upgrade, websocket = Upgrade(), RecordingWebSocket()
    upgrade.candidate.begin(websocket)
    for packet in packets:
        upgrade.candidate.on_text(websocket, packet)
    assert websocket.closed == [WSCloseCode.PROTOCOL_ERROR]
    upgrade.candidate.on_text(websocket, "2probe")
    assert not upgrade.candidate.probed


async def test_websocket__beside_another_or_one_too_many__is_refused() -> None:
    upgrade = Upgrade()
    for _ in range(MAX_UPGRADES):
        websocket = RecordingWebSocket()
        upgrade.candidate.check()
        upgrade.candidate.begin(websocket)
        with pytest.raises(ConflictError):
            upgrade.candidate.check()
        upgrade.candidate.give_up(websocket, "")
    with pytest.raises(ConflictError):
        upgrade.candidate.check()


async def test_websocket__of_a_session_that_ends__or_too_slow__is_closed() -> None:
    ended, late = Upgrade(), Upgrade(timeout_s=0.01)
    websockets = RecordingWebSocket(), RecordingWebSocket()
    ended.candidate.begin(websockets[0])
    late.candidate.begin(websockets[1])
    ended.candidate.end()
    await eventually(lambda: websockets[0].closed and websockets[1].closed)
