"""The settings that every service has. A service adds its own in its `settings.py`; nothing else reads the environment.

Secrets may also be files named like the setting (`synctalk_database_url`) in the folder `SYNCTALK_SECRETS_DIR`.
"""

import json
import os
import re
import socket
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    AfterValidator,
    DirectoryPath,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from synctalk_contracts.internal_routes import ROUTES, callers_in


def _secrets_dir() -> str | None:
    folder = os.environ.get("SYNCTALK_SECRETS_DIR", "/run/secrets")
    return folder if Path(folder).is_dir() else None


ORIGIN = r"^(\*|null|[a-z][a-z0-9+.-]*://[^/\s,;\"'\\${}]+)$"
"""As browsers write it: nothing behind the host and port, not even a slash."""
ORIGINS_OF_ANYBODY = {"*", "null"}


WELL_KNOWN_SECRETS = {"changemechangeme", "0123456789abcdef", "secretsecretsecret", "passwordpassword"}
_ALLOWED_BY = ". If the network is already encrypted, set SYNCTALK_INSECURE_BACKENDS=true to allow it."
_SSL_MODES = {"require", "verify-ca", "verify-full"}


CALLERS = callers_in(ROUTES)
MIN_SECRET_LENGTH = 16


def secrets_in(setting: SecretStr) -> list[str]:
    """Return the secrets of a setting that may hold several, apart by commas."""
    return [secret.strip() for secret in setting.get_secret_value().split(",")]


def _long_enough(setting: SecretStr) -> SecretStr:
    if any(len(secret) < MIN_SECRET_LENGTH for secret in secrets_in(setting)):
        raise ValueError(f"each secret must have at least {MIN_SECRET_LENGTH} characters")
    return setting


Secrets = Annotated[SecretStr, AfterValidator(_long_enough)]
"""One or several, apart by commas."""


class BaseServiceSettings(BaseSettings):
    """Read once at start, from `SYNCTALK_…` variables; wrong ones stop the start with a sentence."""

    model_config = SettingsConfigDict(env_prefix="SYNCTALK_", secrets_dir=_secrets_dir(), extra="ignore", frozen=True)

    SERVICE: ClassVar[str]
    STREAMED: ClassVar[str | None] = None
    """Beginning of the paths whose endpoints read and bound the body themselves, as it comes."""

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
    call_counts_dir: DirectoryPath | None = Field(
        default=None,
        description="Folder for counts of Python calls, which SIGUSR2 begins and ends. If not set, nothing is counted.",
    )
    trust_traceparent: bool = Field(
        default=False, description="Continue traces started by clients as well as those started by other services."
    )
    trace_ratio: float = Field(
        default=0.01, ge=0, le=1, description="Share of new traces that are recorded, from 0 to 1."
    )
    internal_secret: Secrets = Field(
        description="Secret that this service shows to others at /internal; also that of every caller for which "
        "nothing else is set. Two, apart by a comma, while it is changed: the first is shown, both are accepted."
    )
    internal_secret_auth: Secrets | None = Field(
        default=None, description="Secret of auth's calls to this service; two, apart by a comma, while it is changed."
    )
    internal_secret_api: Secrets | None = Field(default=None, description="The same of api's calls.")
    internal_secret_gateway: Secrets | None = Field(default=None, description="The same of the gateway's calls.")
    internal_secret_presence: Secrets | None = Field(default=None, description="The same of presence's calls.")
    internal_secret_notifier: Secrets | None = Field(default=None, description="The same of the notifier's calls.")
    redis_url: SecretStr = Field(
        description="Address of Redis (redis:// or rediss://); of a cluster those of some nodes, apart by commas."
    )
    limits_redis_url: SecretStr | None = Field(
        default=None, description="Separate Redis for rate limits. If not set, `SYNCTALK_REDIS_URL` is used."
    )
    redis_cluster: bool = Field(
        default=False,
        validate_default=True,
        description="`SYNCTALK_REDIS_URL`, and `SYNCTALK_LIMITS_REDIS_URL` if set, are clusters: Redis Cluster, Valkey "
        "Cluster, ElastiCache in cluster mode. Both must be database 0.",
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
    allowed_origins: Annotated[list[Annotated[str, Field(pattern=ORIGIN)]], NoDecode] = Field(
        default_factory=list,
        description="Other origins whose pages may call and connect, by commas or as a JSON list; in development `*` "
        "allows every origin.",
    )
    call_timeout_s: float = Field(default=2.0, gt=0, description="Timeout of a call to another service, in seconds.")
    shutdown_timeout_s: int = Field(
        default=10, description="How long open requests may take to finish at shutdown, in seconds."
    )

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        """Read the list as it stands in the environment: JSON, or apart by commas."""
        if not isinstance(given, str):
            return given
        if given.lstrip().startswith("["):
            return json.loads(given)
        return [origin.strip() for origin in given.split(",")] if given.strip() else []

    @field_validator("redis_cluster")
    @classmethod
    def _fits_the_addresses(cls, is_cluster: bool, info: ValidationInfo) -> bool:
        """Refuse addresses that only a cluster, or only a single Redis, can have."""
        urls = [url for name in ("redis_url", "limits_redis_url") if (url := info.data.get(name)) is not None]
        if not is_cluster and any(len(addresses(url)) > 1 for url in urls):
            raise ValueError("several addresses of Redis are those of a cluster")
        paths = {urlsplit(address).path.strip("/") for url in urls for address in addresses(url)}
        if is_cluster and not paths <= {"", "0"}:
            raise ValueError("a cluster has database 0 only")
        return is_cluster

    def internal_secrets_of(self, caller: str) -> list[str]:
        """Return the secrets of a caller; none where it has none of its own."""
        setting: SecretStr | None = getattr(self, f"internal_secret_{caller}")
        return secrets_in(setting) if setting is not None else []

    def production_problems(self) -> list[str]:
        """Return a sentence for each setting with which nobody should run in production."""
        problems = []
        given = {
            "": secrets_in(self.internal_secret),
            **{f"_{name}": self.internal_secrets_of(name) for name in CALLERS},
        }
        for name, valid in given.items():
            if any(secret.casefold() in WELL_KNOWN_SECRETS for secret in valid):
                problems.append(f"SYNCTALK_INTERNAL_SECRET{name.upper()} is a well-known example value.")
        nodes = [urlsplit(address) for address in addresses(self.rabbitmq_url)]
        if any(node.username in (None, "guest") for node in nodes):
            problems.append("SYNCTALK_RABBITMQ_URL uses RabbitMQ's default user.")
        problems += [
            f"SYNCTALK_ALLOWED_ORIGINS has {origin}, which every page can be."
            for origin in sorted(ORIGINS_OF_ANYBODY.intersection(self.allowed_origins))
        ]
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

    database_transaction_pooler: bool = Field(
        default=False,
        description="The address is that of a pooler in transaction mode, such as pgbouncer: statements are not kept "
        "prepared, and each runs in a transaction. Migrations and moves need the address of PostgreSQL itself.",
    )

    @property
    def database_urls(self) -> list[SecretStr]:
        """The addresses of all databases with the service's tables."""
        return [self.database_url]

    def _without_tls(self) -> list[str]:
        return [*super()._without_tls(), *([] if uses_tls(self.database_url) else ["SYNCTALK_DATABASE_URL"])]


def uses_tls(database_url: SecretStr) -> bool:
    """Return whether the address of a database demands TLS."""
    query = parse_qs(urlsplit(database_url.get_secret_value()).query)
    return bool(_SSL_MODES & set(query.get("sslmode", [])))


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
