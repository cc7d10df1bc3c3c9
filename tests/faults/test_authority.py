"""Who may not come in any more is kept out, also while processes of the system are away."""

import asyncio
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import asyncpg
import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from synctalk_backing.process import ProcessSpec
from synctalk_local.stack import service_specs, stack_credentials
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, RefusedError, User, Users
from synctalk_testkit.eventually import eventually

ENDPOINTS = ("/v1/users/me", "/v1/presence?user_ids=", "/v1/devices")
REVOKED_WITHIN_S = 2.0
WITHDRAWN_WITHIN_S = 30.0
READY_TIMEOUT_S = 30


async def refused_everywhere(user: User, within_s: float) -> None:
    """api, presence and notifier refuse the token, at most so long after now."""
    since = time.monotonic()
    for endpoint in ENDPOINTS:

        async def refused(path: str = endpoint) -> bool:
            return (await user.request("GET", path)).code == "unauthenticated"

        await eventually(refused, READY_TIMEOUT_S, message=f"{endpoint} still takes the token")
    assert time.monotonic() - since < within_s


async def test_session__ended_while_the_bus_is_away__is_refused_everywhere_meanwhile(
    stack: RunningStack, users: Users
) -> None:
    ada = await users.register()
    live = await ada.connect()
    await asyncio.to_thread(stack.stop, "rabbitmq")
    try:
        since = time.monotonic()
        assert (await ada.request("POST", "/v1/auth/logout")).status == 204
        await refused_everywhere(ada, REVOKED_WITHIN_S)
        await live.wait_for("session:ended", lambda payload: payload == {"reason": "logged_out"})
        ended = next(event for event in live.events if event.event == "session:ended")
        assert ended.at - since < REVOKED_WITHIN_S
        await live.wait_disconnected()
    finally:
        await asyncio.to_thread(stack.start, "rabbitmq")


async def test_session__ended_and_gateways_restarted_while_the_bus_is_away__cannot_come_back(
    stack: RunningStack, users: Users
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await asyncio.to_thread(stack.stop, "rabbitmq")
    try:
        assert (await ada.request("POST", "/v1/auth/logout")).status == 204
        for gateway in ("gateway-1", "gateway-2"):
            await asyncio.to_thread(stack.restart, gateway)

        async def refused() -> bool:
            """Until the gateway has read the list it turns everybody away, without a reason."""
            try:
                await ada.connect(reconnection=False)
            except RefusedError as error:
                return "unauthenticated" in str(error)
            raise AssertionError("the ended session came in")

        await eventually(refused, READY_TIMEOUT_S)
        await eventually(lambda: _connects(bob), READY_TIMEOUT_S)
    finally:
        await asyncio.to_thread(stack.start, "rabbitmq")


async def _connects(user: User) -> bool:
    with suppress(RefusedError):
        await user.connect(reconnection=False)
        return True
    return False


async def test_key__replaced_after_it_leaked__its_tokens_are_refused_and_their_sockets_end(
    stack: RunningStack, users: Users
) -> None:
    ada = await users.register()
    forged = await _forge(stack, ada)
    live = LiveSocket(stack.url, forged, ("websocket",), reconnection=False)
    ada.sockets.append(live)
    await live.connect()
    ada.tokens["access_token"] = forged
    assert (await ada.request("GET", "/v1/users/me")).status == 200

    await asyncio.to_thread(_run_command, _spec(stack, "auth-1"), "replace-keys")

    await live.wait_disconnected(WITHDRAWN_WITHIN_S)
    await refused_everywhere(ada, WITHDRAWN_WITHIN_S)
    await ada.refresh()
    assert (await ada.request("GET", "/v1/users/me")).status == 200


def _spec(stack: RunningStack, name: str) -> ProcessSpec:
    return next(spec for spec in service_specs(stack.stack, stack_credentials(stack.stack)) if spec.name == name)


def _secret(spec: ProcessSpec, name: str) -> str:
    return (Path(spec.environment["SYNCTALK_SECRETS_DIR"]) / f"synctalk_{name}").read_text().strip()


def _run_command(spec: ProcessSpec, command: str) -> None:
    """A command of the service, with the settings of its running process."""
    subprocess.run([*spec.command, command], env=os.environ | dict(spec.environment), cwd=spec.directory, check=True)


async def _forge(stack: RunningStack, user: User) -> str:
    """A token of the user that auth never made, signed with its key."""
    spec = _spec(stack, "auth-1")
    conn = await asyncpg.connect(_secret(spec, "database_url"))
    row = await conn.fetchrow("select kid, private_pem from signing_keys order by signs_from limit 1")
    await conn.close()
    assert row is not None
    passphrase = _secret(spec, "signing_key_passphrase").encode()
    private = load_pem_private_key(row["private_pem"].encode(), passphrase)
    claims = jwt.decode(user.access_token, options={"verify_signature": False})
    return jwt.encode(claims | {"jti": "forged"}, private, algorithm="ES256", headers={"kid": row["kid"]})  # type: ignore[arg-type]
