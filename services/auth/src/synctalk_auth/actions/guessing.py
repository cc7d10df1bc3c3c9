"""How often a password may be tried. A try takes from the account's buckets before the password is looked at, so that
many at once do not slip through, and a right one gives it back. Without Redis nothing is limited: a limit must not
become an outage, and argon2 stays between an attacker and the password."""

from collections.abc import Sequence

import structlog
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.limits import Limit

from synctalk_auth.parts import Parts
from synctalk_auth.store import known_addresses

log = structlog.get_logger()

Buckets = Sequence[tuple[Limit, str]]


async def begin_login(parts: Parts, account: str, address: str) -> Buckets:
    """What the try took of the account's buckets, to be given to `logged_in`. Raises RateLimitedError.

    It is the same for a name that nobody has: limits must not tell who exists.
    """
    try:
        is_strange = not await known_addresses.is_known(parts.redis, account, address)
    except UnavailableError:
        log.warning("guessing.not_limited")
        return []
    buckets = [(parts.limits.guess, f"{account}:{address}")]
    if is_strange:
        buckets.append((parts.limits.guess_strange, account))
    await parts.limiter.take_all([(parts.limits.login, address), *buckets])
    return buckets


async def logged_in(parts: Parts, buckets: Buckets, account: str, address: str) -> None:
    """It was the right password: the try is given back, and guesses from elsewhere do not count here any more."""
    if not buckets:
        return
    await give_back(parts, buckets)
    try:
        await known_addresses.remember(parts.redis, account, address, parts.settings.known_address_s)
    except UnavailableError:
        log.warning("guessing.address_not_remembered")


async def begin_password_change(parts: Parts, user_id: str) -> Buckets:
    """As `begin_login`, for someone who holds an access token."""
    buckets = [(parts.limits.password_change, user_id)]
    await parts.limiter.take_all(buckets)
    return buckets


async def give_back(parts: Parts, buckets: Buckets) -> None:
    await parts.limiter.ask(buckets, cost=-1)
