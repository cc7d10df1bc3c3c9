"""Follow which api process owns which partition.

New maps come on a channel; api is asked as well, at the start and each second, for one that was lost on the way.
"""

from pydantic import ValidationError
from synctalk_runtime.errors import UnavailableError

from synctalk_gateway.clients.api import Api
from synctalk_gateway.clients.commands import Commands

PARTITIONS_INTERVAL_S = 1.0


async def follow_partitions(api: Api, commands: Commands) -> None:
    """Ask once. Raises UnavailableError: no answer, and the latest map holds on."""
    try:
        commands.assign(await api.partitions())
    except ValidationError as error:
        raise UnavailableError from error
