"""The rate limits of auth, made of its settings.

By address: an IPv4 address is one block; of IPv6 a customer may have a /64, a /56 or a /48, which count too, each
larger one with a larger allowance. By account: a password may be guessed only so often from one block; and, from
addresses that never signed in to that account, only so often altogether, of which one block gets no more than half.
So guessing from many addresses is slow, no single address uses up what all share, and the owner, at an address that
is known, is not locked out at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from synctalk_runtime.limits import Limit

from synctalk_auth.settings import Settings

GROWTH = 4
"""How much more a block of addresses may than the next smaller one."""
GUESS_GROWTH = 2
"""The same of guesses at one account, which all of them together may less often."""


@dataclass(frozen=True, slots=True)
class Limits:
    register: Limit
    login: Limit
    guess: Limit
    guess_strange: Limit
    exchange: Limit
    guest: Limit
    oidc: Limit
    password_change: Limit
    refresh: Limit

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        s = settings
        strange = Limit("login_account", s.guess_strange_per_s, s.guess_strange_burst)
        return cls(
            register=Limit("register_address", s.register_per_address_per_s, s.register_per_address_burst),
            login=Limit("login_address", s.login_per_address_per_s, s.login_per_address_burst),
            guess=Limit("login_account_address", s.guess_per_s, s.guess_burst),
            guess_strange=strange,
            exchange=Limit("exchange_address", s.exchange_per_address_per_s, s.exchange_per_address_burst),
            guest=Limit("guest_address", s.guests_per_address_per_s, s.guests_per_address_burst),
            oidc=Limit("oidc_address", s.oidc_per_address_per_s, s.oidc_per_address_burst),
            password_change=Limit("password_change", s.guess_per_s, s.guess_burst),
            refresh=Limit("refresh_session", s.refresh_per_session_per_s, s.refresh_per_session_burst),
        )

    def of_address(self, limit: Limit, blocks: Sequence[str]) -> list[tuple[Limit, str]]:
        """Return a bucket for each block, the smallest first."""
        return [(_grown(limit, GROWTH**n, n), block) for n, block in enumerate(blocks)]

    def of_unknown(self, account: str, blocks: Sequence[str]) -> list[tuple[Limit, str]]:
        """Return the buckets of a guess from an address that is not known to the account."""
        half = self.guess_strange.times(0.5, "half")
        guesses = [_grown(self.guess, GUESS_GROWTH**n, n) for n in range(len(blocks))]
        capped = [
            Limit(limit.name, min(limit.per_second, half.per_second), max(1, min(limit.burst, half.burst)))
            for limit in guesses
        ]
        named = [(limit, f"{account}:{block}") for limit, block in zip(capped, blocks, strict=True)]
        return [*named, (self.guess_strange, account)]


def _grown(limit: Limit, factor: float, n: int) -> Limit:
    return limit.times(factor, f"{limit.name}_{n + 1}") if n else limit
