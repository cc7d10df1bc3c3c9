"""Limits on handshakes and sockets by network address, and on sockets that have not authenticated yet.

They are counted in this process, before anything is known of the client. A refused handshake costs a look into two
tables; it is answered with 503, so that stock clients come back later.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable

import prometheus_client
from synctalk_runtime.errors import AppError

from synctalk_gateway.errors import TooManyFromAddressError, TooManySocketsError
from synctalk_gateway.protocol.buckets import TokenBucket
from synctalk_gateway.settings import Settings

REFUSED = prometheus_client.Counter("gateway_handshakes_refused_total", "Handshakes refused before authentication.")

MAX_ADDRESSES = 10_000
"""Addresses whose handshakes are remembered; the one seen least recently is forgotten first."""


class Admission:
    """Counts the sockets of one gateway. Every `opened` is followed by one `closed`."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._handshakes: OrderedDict[str, TokenBucket] = OrderedDict()
        self._sockets: Counter[str] = Counter()
        self._pending: Counter[str] = Counter()
        self._all_pending = 0

    def check(self, address: str) -> None:
        """Raise TooManySocketsError or TooManyFromAddressError, both of them 503, for a handshake too many."""
        settings = self._settings
        if not self._take_handshake(address) or self._sockets[address] >= settings.max_sockets_per_address:
            raise _counted(TooManyFromAddressError())
        if self._pending[address] >= settings.max_pending_sockets_per_address:
            raise _counted(TooManyFromAddressError())
        if self._all_pending >= settings.max_pending_sockets:
            raise _counted(TooManySocketsError())

    def _take_handshake(self, address: str) -> bool:
        now = self._clock()
        bucket = self._handshakes.get(address)
        if bucket is None:
            settings = self._settings
            bucket = TokenBucket(settings.handshakes_per_address_per_s, settings.handshakes_per_address_burst, now)
            self._handshakes[address] = bucket
            if len(self._handshakes) > MAX_ADDRESSES:
                self._handshakes.popitem(last=False)
        self._handshakes.move_to_end(address)
        return bucket.take(now)

    def opened(self, address: str) -> None:
        """Count a new socket; it is pending until `authenticated` or `closed`."""
        self._sockets[address] += 1
        self._pending[address] += 1
        self._all_pending += 1

    def authenticated(self, address: str) -> None:
        """Count a socket as pending no longer."""
        self._all_pending -= 1
        _decrement(self._pending, address)

    def closed(self, address: str, *, pending: bool) -> None:
        """Count a socket no longer."""
        if pending:
            self.authenticated(address)
        _decrement(self._sockets, address)


def _counted(error: AppError) -> AppError:
    REFUSED.inc()
    return error


def _decrement(counter: Counter[str], address: str) -> None:
    counter[address] -= 1
    if counter[address] <= 0:
        del counter[address]
