"""The settings that every service has. A service adds its own in its `settings.py`; nothing else reads the environment.

Secrets may also be files named like the setting (`synctalk_database_url`) in the folder `SYNCTALK_SECRETS_DIR`.
"""

import os
import socket
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


def _secrets_dir() -> str | None:
    folder = os.environ.get("SYNCTALK_SECRETS_DIR", "/run/secrets")
    return folder if Path(folder).is_dir() else None


class BaseServiceSettings(BaseSettings):
    """Read once at start, from `SYNCTALK_…` variables; wrong ones stop the start with a sentence."""

    model_config = SettingsConfigDict(env_prefix="SYNCTALK_", secrets_dir=_secrets_dir(), extra="ignore", frozen=True)

    SERVICE: ClassVar[str]

    instance: str = Field(default_factory=socket.gethostname, description="This process's name in logs and metrics.")
    http_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    http_port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    otlp_endpoint: str | None = Field(default=None, description="OTLP/HTTP collector; none: traces are not exported.")
    trace_ratio: float = Field(default=0.01, ge=0, le=1, description="Share of new traces that are recorded.")
    internal_secret: SecretStr = Field(min_length=16, description="Shared by the services for /internal calls.")
    redis_url: SecretStr = Field(description="redis:// or rediss:// address.")
    rabbitmq_url: SecretStr = Field(description="amqp:// or amqps:// address.")
    auth_url: str = Field(default="http://127.0.0.1:8001", description="Where the auth service answers.")
    token_issuer: str = Field(default="synctalk", description="`iss` of access tokens.")
    token_audience: str = Field(default="synctalk", description="`aud` of access tokens.")
    max_request_bytes: int = Field(default=256 * 1024, description="Largest request body accepted.")
    call_timeout_s: float = Field(default=2.0, gt=0, description="Deadline of a call to another service, seconds.")
    shutdown_timeout_s: int = Field(default=10, description="How long open requests may finish at a stop, seconds.")
    outbox_interval_s: float = Field(
        default=0.05, ge=0, description="Least pause between two rounds of the outbox relay, seconds."
    )


class PostgresSettings(BaseServiceSettings):
    """For services with tables of their own."""

    database_url: SecretStr = Field(description="postgresql:// address of the service's own database.")
    database_pool_size: int = Field(default=10, ge=1, description="Most connections of one process.")
    database_acquire_timeout_s: float = Field(default=2.0, gt=0, description="Longest wait for a connection, seconds.")
    database_command_timeout_s: float = Field(default=5.0, gt=0, description="Deadline of one statement, seconds.")


def redacted(settings: BaseServiceSettings) -> dict[str, Any]:
    """One printable view, secrets blanked."""
    return {name: str(value) for name, value in settings}


def explain(error: ValidationError) -> str:
    """A sentence per wrong setting, for the person who starts the service."""
    return "\n".join(
        f"Setting SYNCTALK_{'_'.join(str(p) for p in problem['loc']).upper()}: {problem['msg']}."
        for problem in error.errors(include_input=False, include_url=False)
    )
