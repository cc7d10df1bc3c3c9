"""The stack's secrets: made once at random, kept in the data folder for its owner alone, never on a command line."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from synctalk_local.topology import WITH_DATABASE


@dataclass(frozen=True)
class Credentials:
    postgres_admin: str
    databases: dict[str, str]
    """Each service's database password."""
    redis: str
    rabbitmq: str
    internal_secret: str
    signing_key_passphrase: str


def credentials_in(data: Path) -> Credentials:
    """Return the credentials of this data folder, made if there are none yet."""
    path = data / "credentials.json"
    if path.exists():
        return Credentials(**json.loads(path.read_text()))
    made = Credentials(
        postgres_admin=secrets.token_hex(16),
        databases={service: secrets.token_hex(16) for service in WITH_DATABASE},
        redis=secrets.token_hex(16),
        rabbitmq=secrets.token_hex(16),
        internal_secret=secrets.token_hex(24),
        signing_key_passphrase=secrets.token_hex(24),
    )
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(made), file)
    fresh.replace(path)
    return made
