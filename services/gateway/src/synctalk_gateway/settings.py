"""The gateway's settings."""

import socket
from typing import ClassVar

from pydantic import Field
from synctalk_runtime.settings import BaseServiceSettings


class Settings(BaseServiceSettings):
    SERVICE: ClassVar[str] = "gateway"

    gateway_name: str = Field(
        default_factory=socket.gethostname,
        pattern=r"^[a-z0-9-]{1,63}$",
        description="Name at the start of every session id, by which the edge finds this gateway.",
    )
    http_unix_socket: str | None = Field(
        default=None, description="Path of a Unix socket to listen on as well, for an edge on the same machine."
    )
    api_url: str = Field(default="http://127.0.0.1:8002", description="Address of the api service.")
    presence_url: str = Field(default="http://127.0.0.1:8004", description="Address of the presence service.")
    command_timeout_s: float = Field(
        default=5.0,
        gt=0,
        description="Timeout of a command, in seconds; without a reply by then it fails with `unavailable`.",
    )
    max_commands_waiting: int = Field(
        default=10_000,
        ge=1,
        description="Maximum number of commands without a reply per gateway; further ones are refused.",
    )
    command_queue_delay_s: float = Field(
        default=0.2,
        gt=0,
        description="Maximum expected wait of a command in its queue, in seconds; beyond it the command is refused.",
    )
    message_rate_per_s: float = Field(default=5, gt=0, description="Messages per user and second.")
    message_burst: float = Field(default=20, gt=0, description="Messages per user at once.")
    stream_rate_per_s: float = Field(default=50, gt=0, description="Appends to streamed messages per user and second.")
    stream_burst: float = Field(default=200, gt=0, description="Appends to streamed messages per user at once.")
    signal_rate_per_s: float = Field(
        default=20, gt=0, description="Receipts, typing and other events per user and second."
    )
    signal_burst: float = Field(default=100, gt=0, description="Receipts, typing and other events per user at once.")
    connect_rate_per_s: float = Field(default=1_000, gt=0, description="Connections per network address and second.")
    connect_burst: float = Field(default=5_000, gt=0, description="Connections per network address at once.")
    connect_user_rate_per_s: float = Field(default=2, gt=0, description="Connections per user and second.")
    connect_user_burst: float = Field(default=50, gt=0, description="Connections per user at once.")
    max_connections_per_user: int = Field(
        default=50, ge=1, description="Maximum number of open sockets per user on one gateway."
    )
    max_presence_subscriptions: int = Field(
        default=200, ge=1, description="Maximum number of users whose presence one socket can subscribe to."
    )
    concurrent_connects: int = Field(default=32, ge=1, description="Number of connections admitted at the same time.")
    concurrent_connects_per_user: int = Field(
        default=2, ge=1, description="Number of connections per user admitted at the same time."
    )
    let_in_timeout_s: float = Field(default=5.0, gt=0, description="Timeout of admitting one connection, in seconds.")
    max_waiting_connects: int = Field(
        default=5_000,
        ge=1,
        description="Maximum number of connections waiting to be admitted; further ones are refused.",
    )
    max_frame_bytes: int = Field(default=128 * 1024, description="Maximum size of a frame or polling body, in bytes.")
    max_connect_bytes: int = Field(
        default=16 * 1024, ge=1024, description="Maximum size of a frame or polling body before CONNECT, in bytes."
    )
    max_buffer_bytes: int = Field(
        default=1024 * 1024,
        description="Maximum amount of unsent data per socket, in bytes; beyond it the socket is closed.",
    )
    max_message_fragments: int = Field(
        default=64,
        ge=1,
        description="Maximum number of fragments of a websocket message; beyond it the socket is closed.",
    )
    max_event_queue: int = Field(
        default=100,
        ge=1,
        description="Number of unhandled events of a socket at which the gateway stops reading from it.",
    )
    max_event_queue_bytes: int = Field(
        default=256 * 1024,
        ge=1,
        description="Size of a socket's unhandled events at which the gateway stops reading from it, in bytes.",
    )
    packet_rate_per_s: float = Field(default=50, gt=0, description="Packets of any kind per socket and second.")
    packet_burst: float = Field(
        default=2_500, ge=1, description="Packets per socket at once; further events are refused."
    )
    user_packet_rate_per_s: float = Field(
        default=100,
        gt=0,
        description="Packets of any kind per user and second, on all sockets of one gateway together.",
    )
    user_packet_burst: float = Field(
        default=2_500, ge=1, description="Packets per user at once, on all sockets of one gateway together."
    )
    refused_packet_rate_per_s: float = Field(
        default=2_000,
        gt=0,
        description="Packets beyond the limits that are still read per user and second, on all sockets together.",
    )
    flood_block_s: float = Field(
        default=60.0,
        gt=0,
        description="How long a user is refused whose sockets were closed for flooding repeatedly, in seconds.",
    )
    unread_timeout_s: float = Field(
        default=10.0, gt=0, description="How long a socket may leave sent data unread before it is closed, in seconds."
    )
    flood_packets: int = Field(
        default=5_000,
        ge=1,
        description="Number of refused packets of one socket after which it is closed for flooding.",
    )
    event_timeout_s: float = Field(
        default=15.0, gt=0, description="Timeout of handling one event, in seconds; after it the ack is `unavailable`."
    )
    upgrade_timeout_s: float = Field(
        default=10.0, gt=0, description="Timeout of an upgrade to websocket, from the handshake on, in seconds."
    )
    max_pending_sockets: int = Field(
        default=10_000,
        ge=1,
        description="Maximum number of sockets that have not authenticated yet; further ones are refused.",
    )
    max_pending_sockets_per_address: int = Field(
        default=1_000,
        ge=1,
        description="Maximum number of sockets per network address that have not authenticated yet.",
    )
    max_sockets_per_address: int = Field(
        default=10_000, ge=1, description="Maximum number of sockets per network address on one gateway."
    )
    handshakes_per_address_per_s: float = Field(
        default=100, gt=0, description="Handshakes per network address and second on one gateway."
    )
    handshakes_per_address_burst: float = Field(
        default=1_000, ge=1, description="Handshakes per network address at once on one gateway."
    )
    ping_interval_s: int = Field(
        default=25,
        ge=1,
        le=60,
        description="Time between two pings, in whole seconds; the edge closes connections silent for 75 seconds.",
    )
    ping_timeout_s: int = Field(default=20, ge=1, description="Maximum wait for a pong, in whole seconds.")
    connect_timeout_s: float = Field(
        default=10.0, gt=0, description="Maximum wait for CONNECT after the handshake, in seconds."
    )
    ready_conversations: int = Field(
        default=1_000,
        ge=1,
        le=1_000,
        description="Number of conversations joined before `ready` and listed in it, the most recently active first.",
    )
    joined_conversations_max: int = Field(
        default=10_000,
        ge=1,
        description="Maximum number of conversations that one socket joins after `ready`, beyond those named in it.",
    )
    typing_ttl_s: float = Field(
        default=6.0, gt=0, description="How long a user is shown as typing without a renewal, in seconds."
    )
    typing_rate_per_s: float = Field(
        default=30, gt=0, description="Typing events shown per conversation and second; further ones are dropped."
    )
    max_typing_members: int = Field(
        default=100, ge=0, description="Maximum number of members of a conversation in which typing is shown."
    )
    expiry_warning_s: float = Field(
        default=60.0, description="How long before a session expires `session:expiring` is sent, in seconds."
    )
    gap_wait_s: float = Field(
        default=0.25, gt=0, description="How long to wait for a missing event before asking api for it, in seconds."
    )
    resync_timeout_s: float = Field(
        default=10.0,
        gt=0,
        description="How long a resync waits for api, in seconds; after it the sockets concerned are closed.",
    )
    heads_interval_s: float = Field(
        default=2.0,
        gt=0,
        description="Time between two comparisons of each conversation's position with api, in seconds.",
    )
    heads_grace_s: float = Field(
        default=1.0,
        gt=0,
        description="How long a conversation may be behind api before it is resynced, in seconds.",
    )
    heartbeat_s: float = Field(
        default=1.0, gt=0, description="Time between two heartbeats on the gateway's own channel, in seconds."
    )
    heartbeat_timeout_s: float = Field(
        default=3.0, gt=0, description="How long without a heartbeat until delivery counts as broken, in seconds."
    )
    lease_renewal_s: float = Field(
        default=15.0, gt=0, description="Time between two renewals of all presence leases, in seconds."
    )
    drain_s: float = Field(
        default=5.0, ge=0, description="How long a planned shutdown takes to close all sockets, in seconds."
    )
