"""What is deleted is gone: no table of api keeps the text, nor what the text could be guessed from."""

import secrets

from synctalk_api import rules
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api

TABLES = "select tablename from pg_tables where schemaname = 'public'"


async def tables_with(api: Api, what: str) -> set[str]:
    """Return every table with a row that contains this."""
    found = set()
    for row in await api.sql(TABLES):
        query = f"select from {row['tablename']} t where t::text like $1 limit 1"
        if await api.sql(query, f"%{what}%"):
            found.add(row["tablename"])
    return found


async def test_delete__leaves_no_text_and_no_digest_in_any_table(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    secret = secrets.token_hex(16)
    message = await ada.send(conversation["id"], secret)
    digest = rules.digest(secret, None, {}).hex()
    assert await tables_with(api, digest) == {"messages"}

    await ada.delete(f"/v1/conversations/{conversation['id']}/messages/{message['id']}")

    await eventually(lambda: is_nowhere(api, secret))
    assert await tables_with(api, digest) == set()


async def is_nowhere(api: Api, what: str) -> bool:
    """Return whether no table contains this; the outbox keeps an event until RabbitMQ has it."""
    return not await tables_with(api, what)


async def test_send__again_after_it_was_deleted__answers_the_deleted_message(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    path = f"/v1/conversations/{conversation['id']}/messages"
    message = await ada.send(conversation["id"], "hello")
    await ada.delete(f"{path}/{message['id']}")

    again = await ada.call("POST", path, {"client_message_id": message["client_message_id"], "body": "hello"})

    assert again.status == 200
    assert again.body == await ada.get(f"{path}/{message['id']}")
    assert again.body["deleted_at"] is not None
