"""The gateway's settings."""

from typing import ClassVar

from pydantic import Field
from synctalk_runtime.settings import BaseServiceSettings


class Settings(BaseServiceSettings):
    SERVICE: ClassVar[str] = "gateway"

    gateway_number: int = Field(
        default=1, ge=0, le=9999, description="Number that begins every sid; the edge routes by it."
    )
    http_unix_socket: str | None = Field(
        default=None, description="Path of a Unix socket to listen on as well, for an edge on the same machine."
    )
    api_url: str = Field(default="http://127.0.0.1:8002", description="Where the api service answers.")
    presence_url: str = Field(default="http://127.0.0.1:8004", description="Where the presence service answers.")
    allowed_origins: list[str] = Field(
        default_factory=list, description="Origins, beside the own one, whose pages may connect (JSON list)."
    )
    command_partitions: int = Field(
        default=4, ge=1, le=256, description="Command queues; the same for api and gateways."
    )
    command_timeout_s: float = Field(
        default=5.0, gt=0, description="After this an unanswered command is unavailable, seconds."
    )
    max_commands_waiting: int = Field(
        default=10_000, ge=1, description="Unanswered commands of one gateway; more are refused."
    )
    message_rate_per_s: float = Field(default=5, gt=0, description="Messages a person may send, per second.")
    message_burst: float = Field(default=20, gt=0, description="Messages a person may send at once.")
    signal_rate_per_s: float = Field(
        default=20, gt=0, description="Receipts, typing and other events of a person, per second."
    )
    signal_burst: float = Field(default=100, gt=0, description="Receipts, typing and other events at once.")
    connect_rate_per_s: float = Field(
        default=1_000, gt=0, description="Connections from one network address, per second."
    )
    connect_burst: float = Field(default=5_000, gt=0, description="Connections from one network address at once.")
    max_connections_per_user: int = Field(default=50, ge=1, description="Live sockets of one person on one gateway.")
    max_presence_subscriptions: int = Field(
        default=200, ge=1, description="People whose presence one socket may follow."
    )
    concurrent_connects: int = Field(default=32, ge=1, description="Connections that are let in at the same time.")
    max_waiting_connects: int = Field(
        default=5_000, ge=1, description="Connections waiting to be let in; more are turned away."
    )
    max_frame_bytes: int = Field(default=128 * 1024, description="Largest frame or polling body from a client.")
    max_buffer_bytes: int = Field(default=1024 * 1024, description="Unread bytes at which a socket is closed.")
    max_event_queue: int = Field(
        default=100, ge=1, description="Events of one socket waiting to be handled; more close it."
    )
    ping_interval_s: int = Field(default=25, ge=1, description="Between two pings, whole seconds.")
    ping_timeout_s: int = Field(default=20, ge=1, description="Longest wait for a pong, whole seconds.")
    connect_timeout_s: float = Field(
        default=10.0, gt=0, description="Longest wait for CONNECT after the handshake, seconds."
    )
    ready_conversations: int = Field(default=1_000, description="Conversations listed in `ready`.")
    typing_ttl_s: float = Field(
        default=6.0, gt=0, description="After this without a renewal somebody no longer types, seconds."
    )
    expiry_warning_s: float = Field(default=60.0, description="`session:expiring` comes this long before, seconds.")
    gap_wait_s: float = Field(
        default=0.25, gt=0, description="How long a missing event is waited for before api is asked."
    )
    heartbeat_s: float = Field(
        default=1.0, gt=0, description="Between two beats on the gateway's own channel, seconds."
    )
    heartbeat_timeout_s: float = Field(
        default=3.0, gt=0, description="Without a beat for this long delivery is broken."
    )
    lease_renewal_s: float = Field(
        default=15.0, gt=0, description="Between two renewals of all presence leases, seconds."
    )
    drain_s: float = Field(
        default=5.0, ge=0, description="Over how long sockets are let go at a planned stop, seconds."
    )
