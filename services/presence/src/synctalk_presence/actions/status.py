"""What a person says of themselves."""

from synctalk_contracts.sockets import PresenceSet
from synctalk_runtime.limits import Limit

from synctalk_presence import rules
from synctalk_presence.actions.change import change
from synctalk_presence.parts import Parts
from synctalk_presence.person import Person


async def put_own(parts: Parts, user_id: str, wanted: PresenceSet) -> None:
    """`put`, bounded by the person's bucket. Raises RateLimitedError."""
    limit = Limit("presence_set", parts.settings.set_per_s, parts.settings.set_burst)
    await parts.limiter.take(limit, user_id)
    await put(parts, user_id, wanted)


async def put(parts: Parts, user_id: str, wanted: PresenceSet) -> None:
    """The given fields hold from now on; others hear of it if they see a difference."""

    def merged(person: Person) -> Person:
        return rules.merged(person, wanted)

    await change(parts, [user_id], merged)
