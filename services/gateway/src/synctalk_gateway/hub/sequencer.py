"""Turns the numbered events of a conversation, in whatever order they come, into calls in the order of `change_seq`.

Each number is delivered once and none is skipped. An event that comes early waits for the missing ones; if they do not
come in time, the owner is asked to read the state. Nothing here depends on what an event is about.
"""

import asyncio
from typing import Any, Protocol

from prometheus_client import Counter

GAPS = Counter("gateway_gaps_total", "Times that an event was missing and clients were asked to sync.")

Event = dict[str, Any]
"""A `RoomEvent` of the contracts, as it came: checked by who built it."""

MAX_EARLY = 1_000
"""Events that wait for a missing one. Beyond that the oldest are dropped, and the gap ends in a resync."""


class Owner(Protocol):
    """The owner of a sequencer, which calls it: the room."""

    def deliver(self, event: Event) -> None:
        """Deliver the next event."""

    def on_waiting(self) -> None:
        """Handle that an event is missing, or that delivery was paused."""

    def on_caught_up(self) -> None:
        """Handle that nothing is missing any longer."""

    def on_gap(self) -> None:
        """Handle that what is missing did not come in time."""


class Sequencer:
    """Delivers events in the order of `change_seq`, and those without a number as they come.

    While an event is missing, those without a number wait too: a receipt must not overtake a removal. One that shows
    a state (`after`) waits for what led to it, whose number a client would else take for known. A paused
    sequencer delivers nothing, since nobody knows who is still a member: numbered events wait, and so do those that
    show a state, which no sync brings to who knows its number already; the others are dropped.
    """

    __slots__ = ("_early", "_gap_timer", "_gap_wait_s", "_owner", "_unnumbered", "change_seq", "epoch", "paused")

    def __init__(self, owner: Owner, gap_wait_s: float) -> None:
        self._owner = owner
        self._gap_wait_s = gap_wait_s
        self._early: dict[int, Event] = {}
        self._unnumbered: list[Event] = []
        self._gap_timer: asyncio.TimerHandle | None = None
        self.change_seq: int | None = None
        """Everything up to here was delivered; None until the state was read."""
        self.paused = False
        """Delivery was broken; only the resync that paused it resumes it."""
        self.epoch = 0
        """Counts the pauses: only the latest one can be resumed."""

    def pause(self) -> int:
        """Forget the position: events wait until the state was read. Return what `resume` has to be called with."""
        self.change_seq = None
        self.paused = True
        self.epoch += 1
        self._owner.on_waiting()
        self._unnumbered = [event for event in self._unnumbered if event.get("after", 0)]
        self._stop_gap_timer()
        return self.epoch

    def resume(self, change_seq: int, epoch: int) -> bool:
        """Go on from `change_seq`; does nothing and returns False when it was paused again since."""
        if epoch != self.epoch or not self.paused:
            return False
        self.paused = False
        self.start(change_seq)
        return True

    def start(self, change_seq: int) -> None:
        """Deliver what came after `change_seq`, up to which the state was read. A paused sequencer stays paused."""
        if not self.paused and (self.change_seq is None or change_seq > self.change_seq):
            self.change_seq = change_seq
            self._drain()

    def is_behind(self, change_seq: int) -> bool:
        """Return whether something up to `change_seq` was not delivered, and nobody reads the state already."""
        return self.change_seq is not None and self.change_seq < change_seq

    def is_beyond(self, change_seq: int) -> bool:
        """Return whether something later than `change_seq` was delivered."""
        return self.change_seq is not None and self.change_seq > change_seq

    def accept(self, events: list[Event]) -> None:
        """Take the events of one commit, as they came from the channel."""
        for event in events:
            number = event.get("change_seq")
            if number is None:
                self._accept_unnumbered(event)
            elif self.change_seq is not None and number == self.change_seq + 1:
                self.change_seq = number
                self._owner.deliver(event)
            elif self.change_seq is None or number > self.change_seq:
                self._early[number] = event
        if self._early or self._unnumbered:
            self._drain()

    def _accept_unnumbered(self, event: Event) -> None:
        after = event.get("after", 0)
        if self.change_seq is None and after == 0:
            return
        if self.change_seq is not None and not self._early and after <= self.change_seq:
            self._owner.deliver(event)
        elif len(self._unnumbered) < MAX_EARLY:
            self._unnumbered.append(event)

    def _drain(self) -> None:
        """Deliver what is next in order; wait a little for what is missing."""
        if self.change_seq is None:
            while len(self._early) > MAX_EARLY:
                self._early.pop(min(self._early))
            return
        self._early = {number: event for number, event in self._early.items() if number > self.change_seq}
        while (event := self._early.pop(self.change_seq + 1, None)) is not None:
            self.change_seq += 1
            self._owner.deliver(event)
        if not self._early:
            self._deliver_unnumbered(self.change_seq)
        if not self._early and not self._unnumbered:
            self._stop_gap_timer()
            self._owner.on_caught_up()
        elif self._gap_timer is None:
            self._owner.on_waiting()
            self._gap_timer = asyncio.get_running_loop().call_later(self._gap_wait_s, self._on_gap_timer)

    def _deliver_unnumbered(self, reached: int) -> None:
        waiting = self._unnumbered
        self._unnumbered = [event for event in waiting if event.get("after", 0) > reached]
        for event in waiting:
            if event.get("after", 0) <= reached:
                self._owner.deliver(event)

    def _on_gap_timer(self) -> None:
        self._gap_timer = None
        if self._early or self._unnumbered:
            GAPS.inc()
            self._owner.on_gap()

    def _stop_gap_timer(self) -> None:
        if self._gap_timer is not None:
            self._gap_timer.cancel()
            self._gap_timer = None

    def close(self) -> None:
        self._stop_gap_timer()
