"""Limits on the packets of a socket, and of all sockets that a user has on this gateway.

A packet needs a token of its socket's bucket and one of its user's. What is refused still costs time, so it is read
slowly: all sockets of a user share one pace. A socket that goes on is closed, and a user whose sockets were closed
again and again is refused for a while. What is known of a user outlives the sockets: a new one gets no new burst.
"""

from collections import OrderedDict

from prometheus_client import Counter

from synctalk_gateway.protocol.buckets import TokenBucket
from synctalk_gateway.settings import Settings

CALM_S = 0.5
"""This long without a refused packet, and an excess is over."""

FLOOD_FACTOR = 4
"""Refused packets up to this many times the socket's rate never close it."""

MAX_FLOODS = 3
"""Sockets of one user that may be closed for flooding before the user is refused."""

UNKNOWN_BURST = 200
"""Packets at once of a socket that has not authenticated: none has a reason to send more than a few."""

MAX_USERS = 10_000
"""Users that are remembered; the one that connected least recently is forgotten first."""

CLOSED_FLOODING = Counter("gateway_flooding_sockets_total", "Sockets closed because they went on beyond their limit.")
PACKETS_REFUSED = Counter("gateway_packets_refused_total", "Packets beyond the limit of their socket or user.")


class ReadPace:
    """Bounds how fast refused packets are read: each one costs `1 / per_second` seconds without reading."""

    __slots__ = ("_per_second", "_until")

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._until = float("-inf")

    def pause_s(self, refused: int, now: float) -> float:
        """Return for how long not to read from the sender of so many refused packets."""
        self._until = max(self._until, now) + refused / self._per_second
        return self._until - now


class UserLimit:
    """Counts what all sockets of one user send, and how often one of them was closed for flooding."""

    __slots__ = ("_block_s", "_blocked_until", "_bucket", "_floods", "pace")

    def __init__(self, settings: Settings, now: float) -> None:
        self._bucket = TokenBucket(settings.user_packet_rate_per_s, settings.user_packet_burst, now)
        self._block_s = settings.flood_block_s
        self._floods = TokenBucket(1 / settings.flood_block_s, MAX_FLOODS, now)
        self._blocked_until = float("-inf")
        self.pace = ReadPace(settings.refused_packet_rate_per_s)

    def take(self, now: float) -> bool:
        """Admit one packet; false when it is beyond the limit."""
        return self._bucket.take(now)

    def count_flood(self, now: float) -> None:
        """Count a socket that was closed for flooding."""
        if not self._floods.take(now):
            self._blocked_until = now + self._block_s

    def is_blocked(self, now: float) -> bool:
        """Return whether new sockets of the user are refused."""
        return now < self._blocked_until


class UserLimits:
    """Finds the limit of each user by id."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._users: OrderedDict[str, UserLimit] = OrderedDict()

    def of(self, user_id: str, now: float) -> UserLimit:
        """Return the user's limit, a new one for a user that is not remembered."""
        limit = self._users.get(user_id)
        if limit is None:
            limit = self._users[user_id] = UserLimit(self._settings, now)
            if len(self._users) > MAX_USERS:
                self._users.popitem(last=False)
        self._users.move_to_end(user_id)
        return limit


class PacketLimit:
    """Counts the packets of one socket. Until it is known whose it is, it has a small burst."""

    __slots__ = ("_bucket", "_excess", "_last_refused", "_pace", "_shared", "_unpaced", "_user", "is_flood")

    def __init__(self, settings: Settings, now: float) -> None:
        self._bucket = TokenBucket(settings.packet_rate_per_s, settings.packet_burst, now)
        self._shared: TokenBucket | UserLimit = TokenBucket(settings.packet_rate_per_s, UNKNOWN_BURST, now)
        """The limit of the user, once it is known."""
        self._excess = TokenBucket(FLOOD_FACTOR * settings.packet_rate_per_s, settings.flood_packets, now)
        self._pace = ReadPace(settings.refused_packet_rate_per_s)
        self._user: UserLimit | None = None
        self._last_refused = float("-inf")
        self._unpaced = 0
        self.is_flood = False
        """So many packets were refused that the socket is to be closed."""

    def share(self, user: UserLimit) -> None:
        """Count the socket's packets for its user, too; from here on it may send its whole burst."""
        self._shared = self._user = user
        self._pace = user.pace

    def take(self, now: float) -> bool:
        """Admit one packet; false when it is beyond a limit."""
        if self._bucket.take(now) and self._shared.take(now):
            return True
        PACKETS_REFUSED.inc()
        self._unpaced += 1
        self._last_refused = now
        if not self.is_flood and not self._excess.take(now):
            self._count_flood(now)
        return False

    def _count_flood(self, now: float) -> None:
        self.is_flood = True
        CLOSED_FLOODING.inc()
        if self._user is not None:
            self._user.count_flood(now)

    def is_exceeded(self, now: float) -> bool:
        """Return whether a packet was refused a moment ago."""
        return now - self._last_refused < CALM_S

    def pause_s(self, dropped: int, now: float) -> float:
        """Return for how long not to read, after a read whose refused packets were counted and so many more dropped."""
        refused, self._unpaced = self._unpaced + dropped, 0
        return self._pace.pause_s(refused, now) if refused else 0.0
