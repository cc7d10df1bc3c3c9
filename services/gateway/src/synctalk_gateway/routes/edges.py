"""`/edge/drain`: an edge that is about to stop has its sockets closed in waves.

An edge names itself in the header of every request that it passes on; the name is made at random at each start and
never leaves the network between edges and gateways, so whoever knows it is that edge. The edge passes on nothing of
its clients to this path.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header
from synctalk_runtime.service import injected

from synctalk_gateway.actions.draining import EdgeDrains

router = APIRouter(include_in_schema=False)


@router.post("/edge/drain", status_code=204)
async def drain_edge(
    edge: Annotated[str, Header(alias="X-Synctalk-Edge", pattern=r"^[0-9a-f]{32}$")],
    drains: Annotated[EdgeDrains, Depends(injected)],
) -> None:
    drains.start(edge)
