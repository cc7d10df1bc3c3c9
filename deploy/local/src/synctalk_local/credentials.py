"""The stack's secrets: made once at random, kept in the data folder for its owner alone, never on a command line."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from synctalk_contracts import accounts

from synctalk_local.topology import WITH_DATABASE


@dataclass(frozen=True)
class Credentials:
    postgres_admin: str
    databases: dict[str, str]
    """Each service's database password."""
    redis: str
    """The administrator's password; each service has its own."""
    rabbitmq: str
    signing_key_passphrase: str
    redis_accounts: dict[str, str]
    rabbitmq_accounts: dict[str, str]
    internal_secrets: dict[str, str]
    """Each service's, for calls to the others."""

    @property
    def rabbitmq_definitions(self) -> str:
        """Return what RabbitMQ imports: the accounts and their permissions."""
        return json.dumps(
            accounts.rabbitmq_definitions({accounts.ADMINISTRATOR: self.rabbitmq} | self.rabbitmq_accounts)
        )

    @property
    def redis_users(self) -> list[str]:
        """Return the accounts as lines of Redis's configuration."""
        return [accounts.redis_user(service, [password]) for service, password in self.redis_accounts.items()]


def credentials_in(data: Path) -> Credentials:
    """Return the credentials of this data folder; those are made that are not there yet."""
    path = data / "credentials.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    fresh = Credentials(
        postgres_admin=secrets.token_hex(16),
        databases={service: secrets.token_hex(16) for service in WITH_DATABASE},
        redis=secrets.token_hex(16),
        rabbitmq=secrets.token_hex(16),
        signing_key_passphrase=secrets.token_hex(24),
        redis_accounts=_one_each(),
        rabbitmq_accounts=_one_each(),
        internal_secrets=_one_each(),
    )
    made = replace(fresh, **{name: value for name, value in known.items() if hasattr(fresh, name)})
    if asdict(made) != known:
        _write(path, made)
    return made


def _one_each() -> dict[str, str]:
    return {service: secrets.token_hex(24) for service in accounts.ACCESS}


def _write(path: Path, made: Credentials) -> None:
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(made), file)
    fresh.replace(path)
