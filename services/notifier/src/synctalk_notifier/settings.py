"""The settings of the notifier."""

import json
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode
from synctalk_runtime.settings import PostgresSettings

from synctalk_notifier.key_file import load_key
from synctalk_notifier.webhook_rules import RETRIES_S


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "notifier"

    api_url: str = Field(default="http://127.0.0.1:8002", description="Address of the api service.")
    presence_url: str = Field(default="http://127.0.0.1:8004", description="Address of the presence service.")

    fcm_credentials_file: Path | None = Field(
        default=None, description="Firebase service account, a JSON file. If not set, nothing is pushed."
    )
    fcm_url: str | None = Field(
        default=None, description="Base address of a stand-in for FCM. If not set, https://fcm.googleapis.com is used."
    )
    fcm_timeout_s: float = Field(default=10.0, gt=0, description="Timeout of a request to FCM, in seconds.")

    vapid_key_file: Path | None = Field(
        default=None,
        description="Private key on P-256, a PEM file, by which push services of browsers know the deployment. If not "
        "set, Web Push is off. All processes have the same; browsers that subscribed with another one get nothing.",
    )
    vapid_subject: str = Field(
        default="mailto:operator@localhost",
        pattern=r"^(mailto:|https://).+",
        description="Where push services reach the operator: a mailto: or https: URL.",
    )
    web_push_stand_in_url: str | None = Field(
        default=None,
        description="Base address of a stand-in for push services. If set, http://.../dev/webpush/... is taken as an "
        "endpoint, and reached there.",
    )
    web_push_timeout_s: float = Field(
        default=10.0, gt=0, description="Timeout of a request to a browser's push service, in seconds."
    )

    push_delay_s: float = Field(
        default=2.0,
        ge=0,
        description="Delay before a push, in seconds; a message read or received before then is not pushed.",
    )
    push_interval_s: float = Field(
        default=0.5, gt=0, description="Pause between two checks for due pushes, in seconds."
    )
    push_in_flight: int = Field(
        default=100, ge=1, le=100, description="Maximum number of concurrent requests to FCM per process."
    )
    push_attempts: int = Field(default=8, ge=1, description="Maximum number of attempts for one push.")
    push_backoff_s: float = Field(default=1.0, gt=0, description="Pause before the first retry of a push, in seconds.")
    push_backoff_max_s: float = Field(
        default=300.0,
        gt=0,
        description="Maximum pause between two attempts, in seconds, unless FCM asks for a longer one.",
    )
    push_max_age_s: float = Field(
        default=3600.0, gt=0, description="Maximum age of an unsent push, in seconds; after it the push is given up."
    )
    push_lease_s: float = Field(
        default=60.0,
        gt=0,
        description="How long a process may work on a push before another takes it over, in seconds.",
    )
    sent_keep_s: float = Field(
        default=7 * 86_400.0, gt=0, description="How long a sent push is kept so that it can be retracted, in seconds."
    )
    incoming_keep_s: float = Field(
        default=120.0,
        gt=0,
        description="How long a message waits for a membership event that arrives late, in seconds.",
    )
    devices_per_s: float = Field(default=1.0, gt=0, description="Device requests per user and second.")
    devices_burst: int = Field(default=20, ge=1, description="Device requests per user at once.")
    notification_settings_per_s: float = Field(
        default=5.0, gt=0, description="Notification settings requests per user and second."
    )
    notification_settings_burst: int = Field(
        default=100, ge=1, description="Notification settings requests per user at once."
    )
    feed_keep_s: float = Field(
        default=7 * 86_400.0,
        ge=7 * 86_400.0,
        description="How long events of the feed, and deliveries to webhooks, are kept, in seconds; 7 days at least.",
    )
    webhooks_max: int = Field(default=50, ge=1, le=500, description="Maximum number of webhooks.")
    webhook_timeout_s: float = Field(
        default=10.0, gt=0, le=60, description="Timeout of a request to a webhook, in seconds."
    )
    webhook_retries_s: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1, max_length=50)] = Field(
        default=list(RETRIES_S),
        description="Pauses before the retries of a delivery to a webhook, in seconds, as a JSON list. "
        "After the last one it is given up.",
    )
    webhook_private_networks: Annotated[list[IPv4Network | IPv6Network], NoDecode] = Field(
        default=[],
        description="Networks that are not public and that webhooks may be in, apart by commas: `10.0.0.0/8,::1/128`.",
    )
    link_previews: Literal["on", "off"] = Field(
        default="on", description="Whether the pages that messages link to are fetched, to show what they say."
    )
    link_preview_user_agent: str = Field(
        default="SyncTalkBot/1.0 (link previews)",
        pattern=r"^[\x20-\x7e]{1,200}$",
        description="As whom pages are fetched: say where their operators reach you.",
    )
    link_preview_timeout_s: float = Field(
        default=5.0, gt=0, le=15, description="Timeout of fetching a page, redirects included, in seconds."
    )
    link_preview_bytes: int = Field(
        default=512 * 1024, ge=1_024, description="How much of a page is read at most, packed or unpacked, in bytes."
    )
    link_preview_requests: int = Field(
        default=8, ge=1, le=100, description="Maximum number of messages per process whose links are looked up at once."
    )
    link_preview_keep_s: float = Field(
        default=86_400.0, gt=0, description="How long what a page says is kept for further messages, in seconds."
    )
    link_preview_missing_keep_s: float = Field(
        default=600.0, gt=0, description="How long it is kept that a page says nothing or can't be had, in seconds."
    )
    link_preview_private_networks: Annotated[list[IPv4Network | IPv6Network], NoDecode] = Field(
        default=[],
        description="Networks that are not public and from which pages are fetched all the same, for whoever can write "
        "a message, apart by commas: `10.0.0.0/8,::1/128`.",
    )
    server_events_per_s: float = Field(
        default=20.0, gt=0, description="Requests for events and webhooks per server key and second."
    )
    server_events_burst: int = Field(
        default=100, ge=1, description="Requests for events and webhooks per server key at once."
    )
    devices_per_user: int = Field(default=20, ge=1, le=100, description="Maximum number of devices per user.")

    def production_problems(self) -> list[str]:
        problems = super().production_problems()
        if self.fcm_url is not None:
            problems.append("SYNCTALK_FCM_URL is set, so pushes would go to a stand-in instead of Google.")
        if self.web_push_stand_in_url is not None:
            problems.append("SYNCTALK_WEB_PUSH_STAND_IN_URL is set, so pushes could go to a stand-in.")
        if self.vapid_key_file is not None and self.vapid_subject.endswith("@localhost"):
            problems.append("SYNCTALK_VAPID_SUBJECT must be an address at which push services reach the operator.")
        return problems

    @field_validator("webhook_private_networks", "link_preview_private_networks", mode="before")
    @classmethod
    def _by_commas(cls, given: object) -> object:
        if isinstance(given, str):
            return [network.strip() for network in given.split(",") if network.strip()]
        return given

    @field_validator("vapid_key_file", "web_push_stand_in_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None

    @field_validator("vapid_key_file")
    @classmethod
    def _is_vapid_key(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        try:
            load_key(path)
        except OSError as error:
            raise ValueError(f"{path} cannot be read ({error.strerror})") from None
        except ValueError:
            raise ValueError(f"{path} is not the PEM file of a private key on the curve P-256") from None
        return path

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
