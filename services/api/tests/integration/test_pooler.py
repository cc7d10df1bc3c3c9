"""api behind a pooler in transaction mode does what it does without one."""

import asyncio
import secrets

from synctalk_testkit.own_pgbouncer import own_pgbouncer
from synctalk_testkit.plugin import FreshDatabase

from services.api.tests.integration.conftest import Start


async def test_everything__behind_a_pooler__works(start_api: Start, fresh_database: FreshDatabase) -> None:
    direct = await fresh_database("api")
    with own_pgbouncer(direct, size=3) as url:
        async with start_api(migrated=[direct], database_url=url, database_transaction_pooler=True) as api:
            ada, *others = await api.users(6)
            groups = [await ada.group(*others) for _ in range(4)]

            async def talk(conversation_id: str) -> None:
                path = f"/v1/conversations/{conversation_id}"
                sent = await asyncio.gather(*(ada.send(conversation_id, f"tea {n}") for n in range(5)))
                await ada.put(f"{path}/messages/{sent[0]['id']}/reactions/👍")
                await ada.patch(f"{path}/messages/{sent[1]['id']}", {"body": "coffee"})
                await others[0].post(f"{path}/read", {"seq": 5})

            await asyncio.gather(*(talk(group["id"]) for group in groups))
            for group in groups:
                history = await others[0].get(f"/v1/conversations/{group['id']}/messages")
                assert [message["seq"] for message in history["items"]] == [1, 2, 3, 4, 5]
            found = await asyncio.gather(*(other.get("/v1/search/messages?q=coffee") for other in others))
            assert [len(page["items"]) for page in found] == [len(groups)] * len(others)
            listed = await asyncio.gather(*(other.get("/v1/conversations") for other in others))
            assert [len(page["items"]) for page in listed] == [len(groups)] * len(others)
            repeated = {"client_message_id": secrets.token_hex(8), "body": "once"}
            path = f"/v1/conversations/{groups[0]['id']}/messages"
            assert await ada.post(path, repeated) == await ada.post(path, repeated)
