"""Every environment setting of this service."""

from typing import ClassVar

from pydantic import Field
from synctalk_runtime.settings import PostgresSettings


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "api"

    outbox_interval_s: float = Field(
        default=1.0, ge=0, description="Least pause between two rounds of the outbox relay, seconds."
    )

    command_partitions: int = Field(default=4, ge=1, le=256, description="Command queues; the same at the gateways.")
    command_ttl_ms: int = Field(default=10_000, ge=100, description="A command older than this is dropped, ms.")
    command_queue_length: int = Field(default=10_000, ge=1, description="Bus messages a command queue holds at most.")
    write_batch_orders: int = Field(default=256, ge=1, description="Most orders in one transaction.")
    write_interval_s: float = Field(
        default=0.016, ge=0, description="Least distance of two commits while orders stream in, seconds."
    )
    write_queue_orders: int = Field(default=4_096, ge=1, description="Orders that may wait; beyond it: unavailable.")
    fanout_queue_messages: int = Field(
        default=10_000, ge=1, description="Channel messages that wait for Redis; beyond it the oldest are dropped."
    )
    fanout_wait_s: float = Field(default=1.0, gt=0, description="How long a REST answer waits for its fan-out, s.")
    group_members_max: int = Field(default=1_000, ge=2, description="Members of a group.")
    reaction_kinds_max: int = Field(default=50, ge=1, description="Different emoji on one message.")
    sync_reset_after: int = Field(default=1_000, ge=1, description="A cursor further behind is told to load anew.")
    sync_changes_max: int = Field(default=1_000, ge=1, description="Messages and members each in one sync answer.")
    sync_bytes_max: int = Field(default=512 * 1024, ge=1, description="About the size of one sync answer, bytes.")
    message_rate_per_s: float = Field(default=5, gt=0, description="Messages a person sends a second, all doors.")
    message_burst: float = Field(default=20, ge=1, description="Messages that a person may send at once.")
    write_rate_per_s: float = Field(default=20, gt=0, description="Other changes a person makes a second, REST.")
    write_burst: float = Field(default=200, ge=1, description="Other changes that a person may make at once.")
    read_rate_per_s: float = Field(default=50, gt=0, description="Look-ups a person makes a second, REST.")
    read_burst: float = Field(default=500, ge=1, description="Look-ups that a person may make at once.")
