"""The settings of the stand-in, from `SYNCTALK_…` variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class FcmSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SYNCTALK_", extra="ignore", frozen=True)

    http_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    http_port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    shutdown_timeout_s: int = Field(
        default=2, description="How long open requests may take to finish at shutdown, in seconds."
    )
    fcm_credentials_file: Path | None = Field(
        default=None, description="The notifier's service account. If set, signatures are checked against it."
    )
    fcm_max_messages: int = Field(
        default=10_000, ge=1, description="Maximum number of messages kept; beyond it the oldest is dropped."
    )
    fcm_slow_s: float = Field(default=5.0, ge=0, description="Delay of the response to a `slow-` token, in seconds.")
