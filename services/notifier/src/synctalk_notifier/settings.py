"""Every setting of the notifier."""

import json
from pathlib import Path
from typing import ClassVar

from pydantic import Field, ValidationInfo, field_validator
from synctalk_runtime.settings import PostgresSettings


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "notifier"

    api_url: str = Field(default="http://127.0.0.1:8002", description="Where the api service answers.")
    presence_url: str = Field(default="http://127.0.0.1:8004", description="Where the presence service answers.")

    fcm_credentials_file: Path | None = Field(
        default=None, description="Firebase service account (JSON file); none: nothing is pushed."
    )
    fcm_url: str | None = Field(
        default=None, description="Base address of an FCM stand-in; none: Google's, https://fcm.googleapis.com."
    )
    fcm_timeout_s: float = Field(default=10.0, gt=0, description="Longest wait for FCM's answer, seconds.")

    push_hold_s: float = Field(
        default=2.0, ge=0, description="How long a message waits to be delivered or read before it is pushed, seconds."
    )
    push_interval_s: float = Field(
        default=0.5, gt=0, description="Longest pause between two looks for what is due, seconds."
    )
    push_in_flight: int = Field(
        default=100, ge=1, le=100, description="Most pushes of one process that wait for FCM's answer."
    )
    push_attempts: int = Field(default=8, ge=1, description="How often one push is tried before it is given up.")
    push_backoff_s: float = Field(default=1.0, gt=0, description="First pause before a push is tried again, seconds.")
    push_backoff_max_s: float = Field(default=300.0, gt=0, description="Longest such pause of our own, seconds.")
    push_max_age_s: float = Field(
        default=3600.0, gt=0, description="A push that could not be sent for so long is given up, seconds."
    )
    push_lease_s: float = Field(
        default=60.0, gt=0, description="After this another process takes over a push that one has begun, seconds."
    )
    sent_keep_s: float = Field(
        default=7 * 86_400.0, gt=0, description="How long a sent push is remembered, so as to retract it, seconds."
    )
    heard_keep_s: float = Field(
        default=120.0, gt=0, description="How long a message waits for a membership that is heard late, seconds."
    )
    devices_per_person: int = Field(default=20, ge=1, le=100, description="Most devices that one person registers.")

    @field_validator("push_lease_s")
    @classmethod
    def _outlasts_a_try(cls, lease_s: float, others: ValidationInfo) -> float:
        if lease_s <= 2 * others.data.get("fcm_timeout_s", 0):
            raise ValueError("must be more than twice SYNCTALK_FCM_TIMEOUT_S")
        return lease_s

    @field_validator("fcm_credentials_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @field_validator("fcm_credentials_file")
    @classmethod
    def _is_service_account(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        try:
            account = json.loads(path.read_text())
        except OSError as error:
            raise ValueError(f"{path} cannot be read ({error.strerror})") from None
        except ValueError:
            raise ValueError(f"{path} is not a JSON file") from None
        if not isinstance(account, dict) or account.get("type") != "service_account" or not account.get("project_id"):
            raise ValueError(f"{path} is not a Firebase service account")
        return path
