"""A gateway's report: leases are renewed and ended, and who comes with a first one is online when this returns."""

from synctalk_contracts.internal import LeaseReport

from synctalk_presence import rules
from synctalk_presence.actions.change import change
from synctalk_presence.parts import Parts


async def report(parts: Parts, given: LeaseReport) -> None:
    """Whose last lease was released is left to the sweep: they may come back within the grace."""
    arrivals = await parts.leases.report(given.held, given.released)
    await change(parts, arrivals, rules.arrived, arrived=True)
