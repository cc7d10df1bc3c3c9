"""Stores and replicas as settings: names and addresses are checked at the start."""

import pytest
from pydantic import ValidationError
from synctalk_api.settings import Settings

GIVEN = {
    "internal_secret": "a-long-enough-secret",
    "redis_url": "redis://localhost",
    "rabbitmq_url": "amqp://api:secret@localhost",
    "database_url": "postgresql://localhost/api?sslmode=require",
}


def settings(**given: object) -> Settings:
    return Settings.model_validate(GIVEN | given)


def test_stores__given__come_after_the_main_one() -> None:
    chosen = settings(api_stores={"second": "postgresql://other/api"})

    assert list(chosen.addresses_of_stores) == ["main", "second"]
    assert [url.get_secret_value() for url in chosen.database_urls] == [GIVEN["database_url"], "postgresql://other/api"]


@pytest.mark.parametrize(
    "given",
    [
        {"api_stores": {"main": "postgresql://other/api"}},
        {"api_stores": {"Second": "postgresql://other/api"}},
        {"api_stores": {"": "postgresql://other/api"}},
        {"api_stores": {"second": "mysql://other/api"}},
        {"api_replicas": {"second": "postgresql://other/api"}},
        {"api_replicas": {"main": "http://other/api"}},
    ],
)
def test_stores__wrong_name_or_address__stop_the_start(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**given)


def test_production__store_or_replica_without_tls__is_a_problem() -> None:
    clear, encrypted = "postgresql://other/api", "postgresql://other/api?sslmode=verify-full"
    chosen = settings(api_stores={"second": clear}, api_replicas={"main": clear, "second": encrypted})

    problems = " ".join(chosen.production_problems())

    assert "SYNCTALK_API_STORES does not use TLS" in problems
    assert "SYNCTALK_API_REPLICAS does not use TLS" in problems
    assert "SYNCTALK_API_STORES" not in " ".join(settings(api_stores={"second": encrypted}).production_problems())
