"""A server under load: where it answers, who is in it, and which processes it consists of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Member:
    user_id: str
    token: str


class Side(Protocol):
    name: str
    url: str
    users: Sequence[Member]
    groups: Sequence[str]
    """Conversations of the first users, in tens."""
    pairs: Sequence[str]
    """Conversations of the first users, two by two."""
    room: str
    """The conversation that everybody is in."""

    def processes(self) -> Mapping[str, int]:
        """The processes to charge, by name; what they forked is theirs."""

    def socket_holders(self) -> Sequence[str]:
        """Those of the processes that hold the sockets."""

    async def refresh_socket_holders(self) -> None:
        """Start them anew, so that memory can be compared before and after."""
