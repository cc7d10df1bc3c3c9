"""More api processes write more: with commits of 25 ms and batches of 8, so that it shows on one small machine.

Not among the tests of `make test`: it needs the machine for itself (`make test-scale`).
"""

import asyncio
import re
import sys
from collections.abc import Iterator

import aiohttp
import asyncpg
import pytest
from synctalk_backing.postgres import postgres_url
from synctalk_local.stack import stack_credentials
from synctalk_systemtest.stack import RunningStack, running_stack
from synctalk_testkit.clients import users_at
from synctalk_testkit.eventually import eventually
from synctalk_testkit.floods.offered import Sender, offer, senders_at

PARTITIONS = 256
PROCESSES = 4
SENDERS = 160
SECONDS = 8.0
COMMIT_S = 0.025
BATCH = 8
OFFERED = 1.5
"""Times what so many processes could write if nothing but the commits took time."""
MOST_UNEVEN = 0.15
LEAST = {2: 1.8, 4: 3.4}
"""Times as much as one process writes."""

SETTINGS = {
    "SYNCTALK_WRITE_BATCH_COMMANDS": str(BATCH),
    "SYNCTALK_MESSAGE_RATE_PER_S": "10000",
    "SYNCTALK_MESSAGE_BURST": "10000",
}

SLOW_COMMIT = f"""
create function slow_commit() returns trigger language plpgsql as $$
begin
    if current_setting('slow.commit', true) is distinct from pg_current_xact_id()::text then
        perform set_config('slow.commit', pg_current_xact_id()::text, false);
        perform pg_sleep({COMMIT_S});
    end if;
    return null;
end $$;
create constraint trigger slow_commit after insert on messages
    deferrable initially deferred for each row execute function slow_commit();
"""


@pytest.fixture(scope="module")
def several() -> Iterator[RunningStack]:
    with running_stack(SETTINGS, {"api": PROCESSES, "gateway": 2}) as stack:
        yield stack


@pytest.mark.timeout(300)
async def test_processes__share_the_work_evenly_and_write_as_many_times_as_much(several: RunningStack) -> None:
    await _slow_down_commits(several)
    written: dict[int, float] = {}
    async with users_at(several.url) as users, senders_at(several.internal_url("gateway-1"), users, SENDERS) as senders:
        for count in (4, 2, 1):
            names = [f"api-{n}" for n in range(1, count + 1)]
            for n in range(count + 1, PROCESSES + 1):
                if several.pid(f"api-{n}"):
                    await asyncio.to_thread(several.stop, f"api-{n}")
            await eventually(lambda names=names: _own_everything(several, names), 15)  # type: ignore[misc]
            shares = await _written(several, names, senders)
            written[count] = sum(shares)
            figures = ", ".join(f"{share:.0f}" for share in shares)
            sys.stdout.write(f"{count} processes: {written[count]:.0f} messages/s ({figures})\n")
            even = written[count] / count
            assert all(abs(share - even) <= MOST_UNEVEN * even for share in shares), shares
    for count, least in LEAST.items():
        assert written[count] >= least * written[1], written


async def _written(stack: RunningStack, names: list[str], senders: list[Sender]) -> list[float]:
    """Return how many messages each process writes in a second of more work than it can do."""
    rate = OFFERED * len(names) * BATCH / COMMIT_S
    await offer(senders, rate, 2)
    before = [await _metric(stack, name, "api_write_batch_commands_sum") for name in names]
    answers = await offer(senders, rate, SECONDS)
    after = [await _metric(stack, name, "api_write_batch_commands_sum") for name in names]
    assert answers.unanswered == 0
    return [(end - begin) / SECONDS for begin, end in zip(before, after, strict=True)]


async def _own_everything(stack: RunningStack, names: list[str]) -> bool:
    return sum([await _metric(stack, name, "api_partitions_owned") for name in names]) == PARTITIONS


async def _metric(stack: RunningStack, name: str, metric: str) -> float:
    async with aiohttp.ClientSession() as http, http.get(f"{stack.internal_url(name)}/metrics") as response:
        found = re.search(rf"^{metric} (\S+)", await response.text(), re.MULTILINE)
    return float(found[1]) if found else 0.0


async def _slow_down_commits(stack: RunningStack) -> None:
    password = stack_credentials(stack.stack).postgres_admin
    connection = await asyncpg.connect(postgres_url(stack.stack.ports.postgres, "synctalk_api", "postgres", password))
    try:
        await connection.execute(SLOW_COMMIT)
    finally:
        await connection.close()
