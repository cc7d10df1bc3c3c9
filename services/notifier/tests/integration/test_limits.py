"""How often a user may call: a bucket for devices, another for notification settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from synctalk_runtime.limits import Limit

if TYPE_CHECKING:
    from services.notifier.tests.harness import Rig


@pytest.mark.parametrize(
    ("name", "path"), [("devices_limit", "/v1/devices"), ("settings_limit", "/v1/notification-settings/{id}")]
)
async def test_calls__beyond_the_burst__are_refused_for_that_user_and_kind_alone(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    ada, bob = rig.user(), rig.user()
    conversation = await rig.conversation(ada, bob)
    services = replace(rig.app.state.services, **{name: Limit(name, 0.001, 3)})
    monkeypatch.setitem(rig.app.state._state, "services", services)
    paths = ["/v1/devices", f"/v1/notification-settings/{conversation.id}"]
    limited = path.format(id=conversation.id)
    [other] = [each for each in paths if each != limited]
    answers = [await ada.call("GET", limited) for _ in range(4)]

    assert [response.status for response in answers] == [200, 200, 200, 429]
    assert answers[-1].body["error"]["retry_after"] > 1
    assert (await ada.call("GET", other)).status == 200
    assert (await bob.call("GET", limited)).status == 200
