"""Settings and small apps for the tests of the runtime itself."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from synctalk_runtime.settings import PostgresSettings

MakeSettings = Callable[..., PostgresSettings]


class Settings(PostgresSettings):
    SERVICE: ClassVar[str] = "test"


@pytest.fixture
def make_settings() -> MakeSettings:
    """Settings of a service with tables; whatever a test does not name leads nowhere."""

    def make(**given: Any) -> PostgresSettings:
        nowhere = {
            "internal_secret": "a secret of sixteen or more",
            "redis_url": "redis://127.0.0.1:1/0",
            "rabbitmq_url": "amqp://127.0.0.1:1/",
            "database_url": "postgresql://127.0.0.1:1/none",
        }
        return Settings(**(nowhere | given))

    return make
