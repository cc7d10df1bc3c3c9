"""Numbers in, calls in their order out; on a clock that the test moves."""

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from synctalk_gateway.hub import sequencer
from synctalk_gateway.hub.sequencer import Sequencer

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock

GAP_WAIT_S = 1.0


class Recorder:
    def __init__(self) -> None:
        self.delivered: list[Any] = []
        self.calls: list[str] = []
        self.sequencer = Sequencer(self, GAP_WAIT_S)

    def deliver(self, event: dict[str, Any]) -> None:
        self.delivered.append(event["id"])

    def on_waiting(self) -> None:
        self.calls.append("interrupted")

    def on_caught_up(self) -> None:
        self.calls.append("complete")

    def on_gap(self) -> None:
        self.calls.append("gap")

    def accept(self, *numbers: int) -> None:
        self.sequencer.accept([{"change_seq": number, "id": number} for number in numbers])

    def accept_unnumbered(self, name: str, after: int = 0) -> None:
        self.sequencer.accept([{"id": name, "after": after}])


@pytest_asyncio.fixture(loop_scope="function")
async def recorder(clock: "Clock") -> Recorder:
    made = Recorder()
    made.sequencer.start(0)
    made.calls.clear()
    return made


async def test_accept__in_order__calls_nothing_else(recorder: Recorder) -> None:
    recorder.accept(1, 2)
    recorder.accept(3)
    assert recorder.delivered == [1, 2, 3]
    assert recorder.calls == []
    assert recorder.sequencer.change_seq == 3


async def test_accept__filled_in_time__is_interrupted_and_complete(recorder: Recorder, clock: "Clock") -> None:
    recorder.accept(2)
    recorder.accept(3)
    await clock.advance(GAP_WAIT_S - 0.01)
    assert recorder.delivered == []
    recorder.accept(1)
    await clock.advance(GAP_WAIT_S)
    assert recorder.delivered == [1, 2, 3]
    assert recorder.calls == ["interrupted", "complete"]


async def test_accept__not_filled__is_a_gap_counted_from_the_first(recorder: Recorder, clock: "Clock") -> None:
    recorder.accept(2)
    await clock.advance(GAP_WAIT_S / 2)
    recorder.accept(3)
    await clock.advance(GAP_WAIT_S / 2 + 0.01)
    assert recorder.calls == ["interrupted", "gap"]


async def test_accept__a_second_gap__is_waited_for_anew(recorder: Recorder, clock: "Clock") -> None:
    recorder.accept(2)
    await clock.advance(GAP_WAIT_S / 2)
    recorder.accept(1)
    recorder.accept(4)
    await clock.advance(GAP_WAIT_S / 2 + 0.01)
    assert "gap" not in recorder.calls
    await clock.advance(GAP_WAIT_S / 2)
    assert recorder.calls[-1] == "gap"


async def test_unnumbered__before_the_state_was_read__is_dropped(clock: "Clock") -> None:
    recorder = Recorder()
    recorder.accept_unnumbered("receipt")
    recorder.sequencer.start(0)
    assert recorder.delivered == []


async def test_unnumbered__while_something_is_missing__is_bounded(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "MAX_EARLY", 2)
    recorder.accept(2)
    for name in "abc":
        recorder.accept_unnumbered(name)
    recorder.accept(1)
    assert recorder.delivered == [1, 2, "a", "b"]
    recorder.accept_unnumbered("d")
    assert recorder.delivered[-1] == "d"


async def test_unnumbered__that_shows_a_state__waits_for_what_led_to_it(recorder: Recorder, clock: "Clock") -> None:
    recorder.accept_unnumbered("state", after=2)
    recorder.accept(1)
    recorder.accept_unnumbered("receipt")
    assert recorder.delivered == [1, "receipt"]
    recorder.accept(2)
    assert recorder.delivered == [1, "receipt", 2, "state"]
    await clock.advance(2 * GAP_WAIT_S)
    assert recorder.calls[-1] == "complete"


async def test_unnumbered__that_shows_a_state__before_the_state_was_read__waits_for_it(clock: "Clock") -> None:
    recorder = Recorder()
    recorder.accept_unnumbered("state", after=2)
    recorder.accept(2)
    recorder.accept_unnumbered("receipt")
    recorder.sequencer.start(1)
    assert recorder.delivered == [2, "state"]


async def test_unnumbered__that_shows_a_state__outlasts_a_pause(recorder: Recorder, clock: "Clock") -> None:
    recorder.accept(1, 3)
    recorder.accept_unnumbered("waiting", after=1)
    recorder.accept_unnumbered("receipt")
    epoch = recorder.sequencer.pause()
    recorder.accept_unnumbered("come meanwhile", after=4)
    recorder.accept_unnumbered("receipt")
    assert recorder.sequencer.resume(3, epoch)
    assert recorder.delivered == [1, "waiting"]
    recorder.accept(4)
    assert recorder.delivered == [1, "waiting", 4, "come meanwhile"]


async def test_unnumbered__whose_state_is_not_reached_in_time__is_a_gap(recorder: Recorder, clock: "Clock") -> None:
    recorder.accept_unnumbered("state", after=1)
    await clock.advance(GAP_WAIT_S)
    assert (recorder.delivered, recorder.calls) == ([], ["interrupted", "gap"])


async def test_pause__stops_the_gap_timer_and_forgets_the_position(recorder: Recorder, clock: "Clock") -> None:
    recorder.accept(2)
    recorder.accept_unnumbered("receipt")
    epoch = recorder.sequencer.pause()
    await clock.advance(GAP_WAIT_S + 0.01)
    assert recorder.calls == ["interrupted", "interrupted"]
    recorder.sequencer.start(5)
    assert recorder.sequencer.change_seq is None
    assert not recorder.sequencer.is_behind(9)
    assert recorder.sequencer.resume(1, epoch)
    assert recorder.delivered == [2]
    assert not recorder.sequencer.resume(7, epoch)


async def test_start__an_older_state__changes_nothing(recorder: Recorder) -> None:
    recorder.accept(1, 2)
    recorder.sequencer.start(1)
    recorder.accept(2)
    assert recorder.delivered == [1, 2]
    assert recorder.sequencer.is_behind(3)
    assert not recorder.sequencer.is_behind(2)


async def test_close__leaves_no_timer(recorder: Recorder, clock: "Clock") -> None:
    recorder.accept(2)
    recorder.sequencer.close()
    await clock.advance(GAP_WAIT_S + 0.01)
    assert "gap" not in recorder.calls


async def test_gap__not_resynced_and_more_comes__is_a_gap_again(recorder: Recorder, clock: "Clock") -> None:
    recorder.accept(2)
    await clock.advance(GAP_WAIT_S + 0.01)
    recorder.accept(3)
    await clock.advance(GAP_WAIT_S + 0.01)
    assert recorder.calls == ["interrupted", "gap", "interrupted", "gap"]


async def test_accept__before_the_state_as_many_as_may_wait__loses_none(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "MAX_EARLY", 3)
    epoch = recorder.sequencer.pause()
    recorder.accept(1, 2, 3)
    recorder.sequencer.resume(0, epoch)
    assert recorder.delivered == [1, 2, 3]
