import pytest
from pydantic import SecretStr, ValidationError
from synctalk_presence.settings import Settings


def settings(**changes: float) -> Settings:
    return Settings(
        internal_secret=SecretStr("a secret of the tests"),
        redis_url=SecretStr("redis://localhost"),
        rabbitmq_url=SecretStr("amqp://localhost"),
        database_url=SecretStr("postgresql://localhost"),
        **changes,  # type: ignore[arg-type]
    )


def test_settings__sweeping_more_rarely_than_leases_end__are_refused() -> None:
    with pytest.raises(ValidationError, match="SYNCTALK_SWEEP_INTERVAL_S"):
        settings(sweep_interval_s=30, lease_s=45)


def test_settings__by_default__leases_outlast_two_renewals_and_the_grace() -> None:
    assert settings().lease_ms == 45_000
    assert settings().grace_ms == 10_000
