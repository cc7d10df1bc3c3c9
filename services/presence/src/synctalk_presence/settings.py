"""The settings of presence."""

from typing import ClassVar

from pydantic import Field, model_validator
from synctalk_runtime.settings import PostgresSettings


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "presence"

    api_url: str = Field(default="http://127.0.0.1:8002", description="Address of the api service.")
    lease_s: float = Field(
        default=45.0,
        gt=0,
        description="How long a connection counts as live after its gateway's last report, in seconds.",
    )
    grace_s: float = Field(
        default=10.0, ge=0, description="How long a user stays online after their last socket closed, in seconds."
    )
    sweep_interval_s: float = Field(
        default=1.0, gt=0, description="Time between two checks for users who went offline, in seconds."
    )
    sweep_batch: int = Field(default=100, ge=1, description="Maximum number of users per shard handled in one check.")
    claim_s: float = Field(
        default=5.0, gt=0, description="How long a user claimed by one process is left alone by the others, in seconds."
    )
    scrub_interval_s: float = Field(
        default=5.0,
        gt=0,
        description="Time between two pages of the search for users whose leases were lost, in seconds.",
    )
    scrub_batch: int = Field(default=500, ge=1, description="Number of users in one page of that search.")
    max_leases_per_report: int = Field(
        default=2000, ge=1, description="Maximum number of leases in one report of a gateway."
    )
    set_per_s: float = Field(
        default=1.0,
        gt=0,
        description="Changes of the own presence per user and second, over REST and sockets together.",
    )
    set_burst: int = Field(default=20, ge=1, description="Changes of the own presence per user at once.")
    read_per_s: float = Field(default=20.0, gt=0, description="Presence reads per user and second.")
    read_burst: int = Field(default=60, ge=1, description="Presence reads per user at once.")

    @model_validator(mode="after")
    def _look_within_a_lease(self) -> "Settings":
        if self.sweep_interval_s > self.lease_s / 3:
            raise ValueError("SYNCTALK_SWEEP_INTERVAL_S must be at most a third of SYNCTALK_LEASE_S")
        return self

    @property
    def lease_ms(self) -> int:
        return round(self.lease_s * 1000)

    @property
    def grace_ms(self) -> int:
        return round(self.grace_s * 1000)

    @property
    def claim_ms(self) -> int:
        return round(self.claim_s * 1000)
