"""The gateway's rate limits, by user or by network address."""

from synctalk_runtime.limits import Limit

from synctalk_gateway.settings import Settings
from synctalk_gateway.store.buckets import Buckets

AHEAD_SHARE = 0.2
MAX_AHEAD = 8
"""Of a bucket that is half full or more, a gateway takes so much ahead; another one has that much less meanwhile."""


class RateLimits:
    """Takes a token from the bucket of a user or address. Raises RateLimitedError when it is empty."""

    def __init__(self, settings: Settings, buckets: Buckets) -> None:
        self._buckets = buckets
        self._message = _of_events("message", settings.message_rate_per_s, settings.message_burst)
        self._stream = _of_events("stream", settings.stream_rate_per_s, settings.stream_burst)
        self._signal = _of_events("signal", settings.signal_rate_per_s, settings.signal_burst)
        self._connect = connect_limit(settings)
        self._connect_user = Limit("connect_user", settings.connect_user_rate_per_s, settings.connect_user_burst)

    async def take_message(self, user_id: str) -> None:
        await self._buckets.take(self._message, user_id)

    async def take_stream(self, user_id: str) -> None:
        """Take a token for more of a streamed message."""
        await self._buckets.take(self._stream, user_id)

    async def take_signal(self, user_id: str) -> None:
        """Take a token for any event but a new message and more of one."""
        await self._buckets.take(self._signal, user_id)

    async def take_connect(self, address: str) -> None:
        await self._buckets.take(self._connect, address)

    async def take_connect_of(self, user_id: str) -> None:
        await self._buckets.take(self._connect_user, user_id)


def connect_limit(settings: Settings) -> Limit:
    """By network address, for all gateways together and for one while Redis is away."""
    return Limit("connect", settings.connect_rate_per_s, settings.connect_burst)


def _of_events(name: str, per_second: float, burst: float) -> Limit:
    return Limit(name, per_second, burst, ahead=min(MAX_AHEAD, int(burst * AHEAD_SHARE)))
