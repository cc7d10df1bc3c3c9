"""What a gateway sent in one go, on its way to the writer."""

from collections.abc import Sequence
from typing import cast

from synctalk_api.actions.commands import Command
from synctalk_api.actions.writers import Writers
from synctalk_api.consumers.commands import command_handler
from synctalk_contracts.commands import CommandBatch, CommandRequest, DeleteMessage
from synctalk_runtime.ids import new_id


class Accepting:
    """In place of the writer."""

    max_batch = 2

    def __init__(self) -> None:
        self.accepted: list[list[int]] = []

    async def accept(self, commands: Sequence[Command]) -> None:
        self.accepted.append([command.request_id for command in commands])


async def test_batch__larger_than_a_transaction_may_be__is_divided_in_its_order() -> None:
    writer = Accepting()
    delete = DeleteMessage(conversation_id=new_id(), user_id=new_id(), message_id=new_id())
    requests = [CommandRequest(id=n, connection_id="socket-1", command=delete) for n in range(5)]
    batch = CommandBatch(reply_to="gateway-1", requests=requests, deadline=None)
    await command_handler(cast(Writers, writer))([batch.to_bytes()])

    assert writer.accepted == [[0, 1], [2, 3], [4]]
