"""The settings that every service has. A service adds its own in its `settings.py`; nothing else reads the environment.

Secrets may also be files named like the setting (`synctalk_database_url`) in the folder `SYNCTALK_SECRETS_DIR`.
"""

import os
import re
import socket
from importlib.resources import files
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, FilePath, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


def _secrets_dir() -> str | None:
    folder = os.environ.get("SYNCTALK_SECRETS_DIR", "/run/secrets")
    return folder if Path(folder).is_dir() else None


ORIGIN = r"^(\*|[a-z][a-z0-9+.-]*://[^/\s]+)$"
"""As browsers write it: nothing behind the host and port, not even a slash."""


WELL_KNOWN_SECRETS = {"changemechangeme", "0123456789abcdef", "secretsecretsecret", "passwordpassword"}
_ALLOWED_BY = ". If the network is already encrypted, set SYNCTALK_INSECURE_BACKENDS=true to allow it."
_SSL_MODES = {"require", "verify-ca", "verify-full"}


class BaseServiceSettings(BaseSettings):
    """Read once at start, from `SYNCTALK_…` variables; wrong ones stop the start with a sentence."""

    model_config = SettingsConfigDict(env_prefix="SYNCTALK_", secrets_dir=_secrets_dir(), extra="ignore", frozen=True)

    SERVICE: ClassVar[str]

    environment: Literal["production", "development"] = Field(
        default="production",
        description="In production, unsafe and unknown settings stop the start; in development they do not.",
    )
    insecure_backends: bool = Field(
        default=False,
        description="Allow Redis, RabbitMQ and PostgreSQL without TLS in production, where the network is trusted.",
    )
    instance: str = Field(default_factory=socket.gethostname, description="Name of this process in logs and metrics.")
    http_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    http_port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Minimum log level.")
    otlp_endpoint: str | None = Field(
        default=None,
        description="OTLP/HTTP collector (base address or traces endpoint). If not set, traces are not exported.",
    )
    trust_traceparent: bool = Field(
        default=False, description="Continue traces started by clients as well as those started by other services."
    )
    trace_ratio: float = Field(
        default=0.01, ge=0, le=1, description="Share of new traces that are recorded, from 0 to 1."
    )
    internal_secret: SecretStr = Field(
        min_length=16, description="Secret shared by the services for calls to /internal."
    )
    redis_url: SecretStr = Field(description="Address of Redis (redis:// or rediss://).")
    limits_redis_url: SecretStr | None = Field(
        default=None, description="Separate Redis for rate limits. If not set, `SYNCTALK_REDIS_URL` is used."
    )
    rabbitmq_url: SecretStr = Field(
        description="Address of RabbitMQ (amqp:// or amqps://); of a cluster those of its nodes, apart by commas."
    )
    tls_ca_file: FilePath | None = Field(
        default=None,
        description="PEM file of CAs to trust for Redis, RabbitMQ and PostgreSQL, in addition to the system's.",
    )
    auth_url: str = Field(default="http://127.0.0.1:8001", description="Address of the auth service.")
    token_issuer: str = Field(default="synctalk", description="Expected `iss` of access tokens.")
    token_audience: str = Field(default="synctalk", description="Expected `aud` of access tokens.")
    token_max_lifetime_s: int = Field(
        default=900, ge=1, description="Maximum lifetime of accepted access tokens, in seconds; at least auth's."
    )
    revocations_fail_closed_s: float = Field(
        default=60,
        ge=0,
        description="How long auth and RabbitMQ may both be unreachable before tokens are refused with 503, in "
        "seconds; 0 never refuses them.",
    )
    max_request_bytes: int = Field(default=256 * 1024, description="Maximum size of a request body, in bytes.")
    allowed_origins: list[Annotated[str, Field(pattern=ORIGIN)]] = Field(
        default_factory=list,
        description="Other origins whose pages may call and connect, as a JSON list; `*` allows every origin.",
    )
    call_timeout_s: float = Field(default=2.0, gt=0, description="Timeout of a call to another service, in seconds.")
    shutdown_timeout_s: int = Field(
        default=10, description="How long open requests may take to finish at shutdown, in seconds."
    )

    def production_problems(self) -> list[str]:
        """Return a sentence for each setting with which nobody should run in production."""
        problems = []
        if self.internal_secret.get_secret_value().casefold() in WELL_KNOWN_SECRETS:
            problems.append("SYNCTALK_INTERNAL_SECRET is a well-known example value.")
        nodes = [urlsplit(address) for address in addresses(self.rabbitmq_url)]
        if any(node.username in (None, "guest") for node in nodes):
            problems.append("SYNCTALK_RABBITMQ_URL uses RabbitMQ's default user.")
        if not self.insecure_backends:
            problems += [f"{name} does not use TLS{_ALLOWED_BY}" for name in self._without_tls()]
        return problems

    def _without_tls(self) -> list[str]:
        """Return the names of the addresses at which secrets travel in the clear."""
        urls = {
            "SYNCTALK_REDIS_URL": (self.redis_url, "rediss"),
            "SYNCTALK_LIMITS_REDIS_URL": (self.limits_redis_url, "rediss"),
            "SYNCTALK_RABBITMQ_URL": (self.rabbitmq_url, "amqps"),
        }
        return [
            name
            for name, (url, scheme) in urls.items()
            if url is not None and any(urlsplit(address).scheme != scheme for address in addresses(url))
        ]

    @property
    def limits_url(self) -> SecretStr:
        return self.limits_redis_url or self.redis_url


class PostgresSettings(BaseServiceSettings):
    """The settings of services with tables of their own."""

    database_url: SecretStr = Field(description="Address of the service's own database (postgresql://).")
    database_pool_size: int = Field(default=10, ge=1, description="Maximum number of database connections per process.")
    database_acquire_timeout_s: float = Field(
        default=2.0, gt=0, description="Maximum wait for a database connection, in seconds."
    )
    database_command_timeout_s: float = Field(
        default=5.0, gt=0, description="Timeout of one SQL statement, in seconds."
    )

    def _without_tls(self) -> list[str]:
        query = parse_qs(urlsplit(self.database_url.get_secret_value()).query)
        clear = not _SSL_MODES & set(query.get("sslmode", []))
        return [*super()._without_tls(), *(["SYNCTALK_DATABASE_URL"] if clear else [])]


def addresses(url: SecretStr) -> list[str]:
    """Return the addresses of the nodes, which are apart by commas."""
    return [address.strip() for address in url.get_secret_value().split(",")]


SETTING_NAMES = "setting_names.txt"
DEPLOYMENT_NAMES = re.compile(
    r"SYNCTALK_(PORT|BIND|URL|DATA_DIR|SECRETS|SECRETS_DIR|PASSWORDS_DIR|FCM_\w+|EDGE_\w+|TEST_\w+)"
)
"""What `make`, Docker and the tests read; all services see them in their environment."""


RENAMED = {
    "SYNCTALK_DEVICES_PER_PERSON": "SYNCTALK_DEVICES_PER_USER",
    "SYNCTALK_HEARD_KEEP_S": "SYNCTALK_INCOMING_KEEP_S",
    "SYNCTALK_PUSH_HOLD_S": "SYNCTALK_PUSH_DELAY_S",
    "SYNCTALK_STRANGERS_PER_DAY": "SYNCTALK_UNRELATED_PER_DAY",
    "SYNCTALK_WRITE_BATCH_ORDERS": "SYNCTALK_WRITE_BATCH_COMMANDS",
    "SYNCTALK_WRITE_QUEUE_ORDERS": "SYNCTALK_WRITE_QUEUE_COMMANDS",
}
"""Old names that go on working for one release, and what they are called now."""


def accept_renamed() -> list[str]:
    """Give what is set under an old name its new one, if that is not set; return a sentence for each."""
    found = [(name, RENAMED[name.upper()]) for name in sorted(os.environ) if name.upper() in RENAMED]
    given = {name.upper() for name in os.environ}
    for old, new in found:
        if new not in given:
            os.environ[new] = os.environ[old]
    return [f"{old.upper()} is now called {new}. The old name works for one more release." for old, new in found]


def misspelt() -> list[str]:
    """Return the `SYNCTALK_…` variables that no service and no tool has; the names of the services' are generated."""
    known = set(files("synctalk_runtime").joinpath(SETTING_NAMES).read_text().split())
    given = sorted(name.upper() for name in os.environ if name.upper().startswith("SYNCTALK_"))
    known |= RENAMED.keys()
    return [name for name in given if name not in known and not DEPLOYMENT_NAMES.fullmatch(name)]


def explain(error: ValidationError) -> str:
    """Return a sentence for each wrong setting, for whoever starts the service."""
    return "\n".join(
        f"Setting SYNCTALK_{'_'.join(str(p) for p in problem['loc']).upper()}: {problem['msg']}."
        for problem in error.errors(include_input=False, include_url=False)
    )
