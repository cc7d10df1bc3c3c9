"""Calls of presence: what is asked, and what is taken from the response."""

from typing import Any, cast

from synctalk_contracts.internal import Lease, LeaseReport
from synctalk_gateway.clients.presence import PresenceClient
from synctalk_runtime.ids import new_id
from synctalk_runtime.internal import InternalClient

ADA, BOB, CY = new_id(), new_id(), new_id()


class Upstream:
    """In place of presence: keeps what is asked and responds as a test wants it to."""

    def __init__(self, response: Any = None) -> None:
        self.response = response
        self.asked: list[tuple[str, str, Any]] = []
        self.presence = PresenceClient(cast(InternalClient, self))

    async def post(self, path: str, body: Any) -> Any:
        self.asked.append(("POST", path, body))
        return self.response

    async def put(self, path: str, body: Any) -> Any:
        self.asked.append(("PUT", path, body))
        return self.response


async def test_snapshot__ignores_fields_that_are_new() -> None:
    shown = {"user_id": BOB, "status": "online", "custom_status": None, "last_seen_at": None, "later": True}
    upstream = Upstream({"items": [shown], "strangers": [CY], "later": True})
    snapshot = await upstream.presence.snapshot(ADA, [BOB, CY])

    assert upstream.asked == [("POST", "/internal/presence/snapshot", {"asker_id": ADA, "user_ids": [BOB, CY]})]
    assert [item.user_id for item in snapshot.items] == [BOB]
    assert snapshot.strangers == [CY]


async def test_set__sends_what_is_changed_of_that_user() -> None:
    upstream = Upstream()
    await upstream.presence.set(ADA, {"custom_status": "lunch"})

    assert upstream.asked == [("PUT", f"/internal/presence/{ADA}", {"custom_status": "lunch"})]


async def test_report__sends_the_leases() -> None:
    upstream = Upstream()
    lease = Lease(user_id=ADA, connection_id="a", active=True)
    await upstream.presence.report(LeaseReport(gateway="gateway-1", held=[lease], released=[]))

    ((method, path, body),) = upstream.asked
    assert (method, path) == ("POST", "/internal/presence/leases")
    assert body == {"gateway": "gateway-1", "held": [lease.model_dump()], "released": []}
