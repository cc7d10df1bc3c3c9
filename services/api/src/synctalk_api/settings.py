"""The settings of api."""

from typing import ClassVar

from pydantic import Field
from synctalk_runtime.settings import PostgresSettings


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "api"

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
        description="Maximum number of broadcasts waiting for Redis; beyond it the oldest are dropped.",
    )
    fanout_queue_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=1,
        description="Maximum size of the broadcasts waiting for Redis, in bytes; beyond it the oldest are dropped.",
    )
    fanout_wait_s: float = Field(
        default=1.0, gt=0, description="Maximum time a REST response waits for its broadcast, in seconds."
    )
    group_members_max: int = Field(default=1_000, ge=2, description="Maximum number of members of a group.")
    reaction_kinds_max: int = Field(default=50, ge=1, description="Maximum number of different emoji on one message.")
    sync_reset_after: int = Field(
        default=1_000,
        ge=1,
        description="Number of changes after which a cursor is too old, and the client is asked to reload.",
    )
    sync_changes_max: int = Field(
        default=1_000, ge=1, description="Maximum number of messages, and of members, in one sync response."
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
