"""The settings of api."""

import re
from base64 import b64decode
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from synctalk_runtime.settings import PostgresSettings, uses_tls

MAIN = "main"
"""The store at `SYNCTALK_DATABASE_URL`: it has the users and the map of the others as well."""
STORE_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "api"
    STREAMED: ClassVar[str | None] = "/v1/uploads/"

    api_stores: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Further databases for conversations, as a JSON object of name and address (postgresql://); "
        "`?search_path=NAME` is a schema of one. Partitions get there by `python -m synctalk_api move`.",
    )
    api_replicas: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Read replicas for history, member lists and searches, as a JSON object of the store's name "
        "(`main`, or one of `SYNCTALK_API_STORES`) and the address. A replica that has not caught up is not asked.",
    )
    database_pool_size: int = Field(
        default=8,
        ge=1,
        description="Maximum number of database connections per process, besides those with settings of their own.",
    )
    database_read_pool_size: int = Field(
        default=4, ge=1, description="Maximum number of connections for reads over REST."
    )
    database_write_pool_size: int = Field(
        default=2, ge=1, description="Maximum number of connections for the message writer."
    )
    database_change_pool_size: int = Field(
        default=2,
        ge=1,
        description="Maximum number of connections for creating conversations and changing their members.",
    )
    outbox_interval_s: float = Field(
        default=1.0, ge=0, description="Minimum pause between two rounds of the outbox relay, in seconds."
    )

    message_hook_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Address that is asked before a message is stored or edited. If not set, nothing is asked.",
    )
    message_hook_secret: SecretStr | None = Field(
        default=None, description="`whsec_` and Base64: signs the requests to the message hook, as webhooks are signed."
    )
    message_hook_timeout_s: float = Field(
        default=0.5, gt=0, le=0.5, description="How long a message waits for the message hook, in seconds."
    )
    message_hook_on_failure: Literal["allow", "refuse"] = Field(
        default="allow", description="What becomes of a message when the message hook does not answer in time and form."
    )
    command_ttl_ms: int = Field(
        default=10_000, ge=100, description="Maximum age of a command, in milliseconds; older ones are dropped."
    )
    command_queue_length: int = Field(
        default=10_000, ge=1, description="Maximum number of messages in a command queue."
    )
    write_batch_commands: int = Field(default=256, ge=1, description="Maximum number of commands in one transaction.")
    write_interval_s: float = Field(
        default=0.016, ge=0, description="Minimum time between two commits while commands are arriving, in seconds."
    )
    write_queue_commands: int = Field(
        default=4_096,
        ge=1,
        description="Maximum number of commands waiting for the writer; further ones get `unavailable`.",
    )
    write_queue_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=1,
        description="Maximum size of the commands waiting for the writer, in bytes; further ones get `unavailable`.",
    )
    write_wait_max_s: float = Field(
        default=2.0,
        gt=0,
        description="Maximum expected wait of a REST write for the writer, in seconds; beyond it the write is refused.",
    )
    fanout_queue_messages: int = Field(
        default=10_000,
        ge=1,
        description="Maximum number of broadcasts waiting for one Redis primary; beyond it the oldest are dropped.",
    )
    fanout_queue_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=1,
        description="Maximum size of the broadcasts waiting for one Redis primary, in bytes; beyond it the oldest go.",
    )
    fanout_wait_s: float = Field(
        default=1.0, gt=0, description="Maximum time a REST response waits for its broadcast, in seconds."
    )
    group_members_max: int = Field(default=1_000, ge=2, description="Maximum number of members of a group.")
    invites_max: int = Field(default=1_000, ge=1, description="Maximum number of live invites into one group.")
    public_url: str | None = Field(
        default=None,
        description="Origin at which browsers reach the system, for the links of invites, for example "
        "`https://chat.example.org`. If not set, it is taken from the request.",
    )
    reaction_kinds_max: int = Field(default=50, ge=1, description="Maximum number of different emoji on one message.")
    sync_reset_after: int = Field(
        default=1_000,
        ge=1,
        description="Number of changes after which a cursor is too old, and the client is asked to reload.",
    )
    sync_changes_max: int = Field(
        default=1_000, ge=2, description="Maximum number of messages, and of members, in one sync response."
    )
    sync_bytes_max: int = Field(
        default=512 * 1024, ge=1, description="Approximate maximum size of a sync response, in bytes."
    )
    page_bytes_max: int = Field(
        default=1024 * 1024,
        ge=1,
        description="Approximate maximum size of a page of messages, in bytes; one message always fits.",
    )
    message_rate_per_s: float = Field(
        default=5, gt=0, description="Messages per user and second, over REST and sockets together."
    )
    message_burst: float = Field(default=20, ge=1, description="Messages per user at once.")
    stream_rate_per_s: float = Field(
        default=50,
        gt=0,
        description="Appends to streamed messages per user and second, over REST and sockets together.",
    )
    stream_burst: float = Field(default=200, ge=1, description="Appends to streamed messages per user at once.")
    streams_max: int = Field(default=5, ge=1, description="Messages that one user may stream at the same time.")
    stream_silence_s: float = Field(
        default=30, gt=0, description="How long a streamed message waits for its writer before it ends, in seconds."
    )
    write_rate_per_s: float = Field(default=20, gt=0, description="Other changes per user and second, over REST.")
    write_burst: float = Field(default=200, ge=1, description="Other changes per user at once.")
    named_rate_per_s: float = Field(
        default=20, gt=0, description="Users that one user may add to conversations, per second."
    )
    named_burst: float = Field(default=2_200, ge=1, description="Users that one user may add to conversations at once.")
    groups_per_day: int = Field(default=1_000, ge=1, description="Groups that one user may create per day.")
    unrelated_per_day: int = Field(
        default=5_000, ge=1, description="Users without a shared conversation that one user may add per day."
    )
    invited_groups_max: int = Field(
        default=5_000, ge=1, description="Maximum number of groups a user can be in because others added them."
    )
    profile_rate_per_s: float = Field(default=0.1, gt=0, description="Changes of name or picture per user and second.")
    profile_burst: float = Field(default=10, ge=1, description="Changes of name or picture per user at once.")
    profile_delay_s: float = Field(
        default=1.0,
        ge=0,
        description="How long changes of name or picture are collected into one notification, in seconds.",
    )
    profile_conversations_max: int = Field(
        default=1_000,
        ge=1,
        description="Maximum number of conversations notified of such a change, the most recently active first.",
    )
    guests: Literal["off", "joined", "open"] = Field(
        default="joined",
        description="Whether guests may come in: `off` no, `joined` into conversations they were added or invited to, "
        "`open` also to begin conversations.",
    )
    server_key_rate_per_s: float = Field(
        default=100, gt=0, description="Calls of one server key without a user per second; each message counts as one."
    )
    server_key_burst: float = Field(
        default=200, ge=100, description="Calls of one server key without a user at once; a batch has 100 messages."
    )
    read_rate_per_s: float = Field(default=50, gt=0, description="Reads per user and second, over REST.")
    read_burst: float = Field(default=500, ge=1, description="Reads per user at once.")
    search_rate_per_s: float = Field(default=1, gt=0, description="Message searches per user and second.")
    search_burst: float = Field(default=30, ge=1, description="Message searches per user at once.")
    search_connections: int = Field(
        default=2, ge=1, description="Maximum number of database connections used for searches."
    )
    search_timeout_s: float = Field(
        default=1.0, gt=0, description="Timeout of a search, including the wait for a connection, in seconds."
    )
    search_conversations_max: int = Field(
        default=1_000, ge=1, description="Maximum number of conversations searched, the most recently active first."
    )

    files_url: str = Field(
        default="file:///var/lib/synctalk/files",
        pattern=r"^(file:///|s3://|s3a://|gs://|az://|azure://|abfss?://)",
        description="Where uploaded files are: a folder that all api processes share, or a bucket: s3://NAME/PREFIX, "
        "gs://NAME, az://NAME.",
    )
    files_options: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Options of the bucket, as a JSON object: access_key_id, secret_access_key, region, endpoint and "
        "what else the store knows. Those left out come from the environment that its own tools use.",
    )
    file_max_bytes: int = Field(
        default=25 * 1024 * 1024, ge=1, le=100 * 1024 * 1024, description="Maximum size of a file, in bytes."
    )
    avatar_max_bytes: int = Field(
        default=5 * 1024 * 1024, ge=1, le=100 * 1024 * 1024, description="Maximum size of an avatar, in bytes."
    )
    file_quota_bytes: int = Field(
        default=1024**3, ge=1, description="Maximum size of all files of one user together, in bytes."
    )
    file_unused_s: float = Field(
        default=86_400, gt=0, description="How long a file that nothing uses is kept, in seconds."
    )
    file_pixels_max: int = Field(
        default=40_000_000, ge=1, description="Maximum number of pixels of a picture, or of one frame of it."
    )
    file_inspections: int = Field(
        default=2, ge=1, description="Maximum number of files inspected at once; each in a process of its own."
    )
    file_inspection_bytes: int = Field(
        default=768 * 1024 * 1024, ge=1, description="Maximum memory of such a process, in bytes."
    )
    file_inspection_s: float = Field(
        default=10.0, gt=0, description="Maximum time to inspect a file, the wait for its turn included, in seconds."
    )
    file_rate_per_s: float = Field(default=1, gt=0, description="Files per user and second.")
    file_burst: float = Field(default=60, ge=1, description="Files per user at once.")

    @field_validator("api_stores")
    @classmethod
    def _named(cls, stores: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, address in stores.items():
            if name == MAIN or not STORE_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name for a store: small letters, digits and hyphens, not {MAIN!r}")
            _require_postgres(name, address)
        return stores

    @field_validator("api_replicas")
    @classmethod
    def _of_stores(cls, replicas: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        for name, address in replicas.items():
            if name not in (MAIN, *info.data.get("api_stores", {})):
                raise ValueError(f"there is no store {name!r}")
            _require_postgres(name, address)
        return replicas

    @model_validator(mode="after")
    def _hook_is_signed(self) -> Self:
        if self.message_hook_url is not None:
            if self.message_hook_secret is None:
                raise ValueError("SYNCTALK_MESSAGE_HOOK_URL needs SYNCTALK_MESSAGE_HOOK_SECRET")
            check_secret(self.message_hook_secret)
        return self

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, url: str | None) -> str | None:
        if url is not None and (
            urlsplit(url).scheme not in ("https", "http") or url != f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
        ):
            raise ValueError("must be an origin: https:// or http://, and nothing behind host and port")
        return url

    @property
    def addresses_of_stores(self) -> dict[str, SecretStr]:
        """The address of each store by its name, the main one first."""
        return {MAIN: self.database_url, **self.api_stores}

    @property
    def database_urls(self) -> list[SecretStr]:
        return list(self.addresses_of_stores.values())

    def _without_tls(self) -> list[str]:
        further = {"SYNCTALK_API_STORES": self.api_stores, "SYNCTALK_API_REPLICAS": self.api_replicas}
        return [
            *super()._without_tls(),
            *(name for name, urls in further.items() if any(not uses_tls(url) for url in urls.values())),
        ]


def check_secret(secret: SecretStr) -> None:
    """Raise ValueError for a secret that requests cannot be signed with."""
    prefix, _, encoded = secret.get_secret_value().partition("_")
    try:
        long_enough = len(b64decode(encoded, validate=True)) >= 24
    except ValueError:
        long_enough = False
    if prefix != "whsec" or not long_enough:
        raise ValueError("SYNCTALK_MESSAGE_HOOK_SECRET must be whsec_ and the Base64 of 24 bytes or more")


def _require_postgres(name: str, address: SecretStr) -> None:
    if urlsplit(address.get_secret_value()).scheme not in ("postgresql", "postgres"):
        raise ValueError(f"the address of {name} must begin with postgresql://")
