"""The settings of presence."""

from typing import ClassVar

from pydantic import Field, model_validator
from synctalk_runtime.settings import PostgresSettings


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "presence"

    api_url: str = Field(default="http://127.0.0.1:8002", description="Where the api service answers.")
    lease_s: float = Field(
        default=45.0, gt=0, description="How long a connection counts after its gateway's last word, seconds."
    )
    grace_s: float = Field(
        default=10.0, ge=0, description="How long a person still counts as here after the last socket closed, seconds."
    )
    sweep_interval_s: float = Field(default=1.0, gt=0, description="Between two looks for who has left, seconds.")
    sweep_batch: int = Field(default=100, ge=1, description="Most people of one shard decided in one look.")
    claim_s: float = Field(
        default=5.0, gt=0, description="How long another process leaves alone whom one is deciding about, seconds."
    )
    scrub_interval_s: float = Field(
        default=5.0, gt=0, description="Between two pages of the search for people whose leases were lost, seconds."
    )
    scrub_batch: int = Field(default=500, ge=1, description="People in one page of that search.")
    max_leases_per_report: int = Field(default=2000, ge=1, description="Leases in one report of a gateway.")
    set_per_s: float = Field(default=1.0, gt=0, description="Changes of one's own presence, per person and second.")
    set_burst: int = Field(default=10, ge=1, description="Changes of one's own presence that may come at once.")
    read_per_s: float = Field(default=20.0, gt=0, description="Reads of presence, per person and second.")
    read_burst: int = Field(default=60, ge=1, description="Reads of presence that may come at once.")

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
