"""The connections to the database, in pools of their own, so that no kind of work takes those of another."""

from dataclasses import dataclass

from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import Service

from synctalk_api.settings import Settings


@dataclass(frozen=True, slots=True)
class Pools:
    """Opened and closed with the service."""

    postgres: Postgres
    """For gateways and for work in the background."""
    reads: Postgres
    """For look-ups over REST."""
    writes: Postgres
    """For the writer."""
    changes: Postgres
    """For changes of conversations and members."""

    @classmethod
    def of(cls, service: Service, settings: Settings) -> "Pools":
        def pool(name: str, size: int) -> Postgres:
            return service.opening(Postgres(settings.model_copy(update={"database_pool_size": size}), name))

        return cls(
            postgres=pool("main", settings.database_pool_size),
            reads=pool("reads", settings.database_read_pool_size),
            writes=pool("writes", settings.database_write_pool_size),
            changes=pool("changes", settings.database_change_pool_size),
        )
