"""How often: the buckets of auth, made of its settings.

A password may be guessed only so often for one account from one address; and, from addresses that never signed in to
that account, only so often altogether. So guessing from many addresses is slow, and the owner, at an address that is
known, is not locked out by it.
"""

from dataclasses import dataclass

from synctalk_runtime.limits import Limit

from synctalk_auth.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    register: Limit
    login: Limit
    guess: Limit
    guess_strange: Limit
    password_change: Limit

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        s = settings
        return cls(
            register=Limit("register_address", s.register_per_address_per_s, s.register_per_address_burst),
            login=Limit("login_address", s.login_per_address_per_s, s.login_per_address_burst),
            guess=Limit("login_account_address", s.guess_per_s, s.guess_burst),
            guess_strange=Limit("login_account", s.guess_strange_per_s, s.guess_strange_burst),
            password_change=Limit("password_change", s.guess_per_s, s.guess_burst),
        )
