"""What another transaction gets in the way of is written all the same, at the second try."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.api.tests.integration.conftest import Api, Start

FAIL_ONCE = (
    "create sequence tries",
    """
create function fail_once() returns trigger language plpgsql as $$
begin
  if nextval('tries') = 1 then
    raise exception 'injected' using errcode = 'CODE';
  end if;
  return new;
end $$
""",
    "create trigger fail_once before insert on messages for each row execute function fail_once()",
)
"""A sequence counts on through a rollback, so exactly the first try fails, by an error of the database itself."""


@pytest_asyncio.fixture(loop_scope="session")
async def own_api(start_api: Start) -> AsyncIterator[Api]:
    """Return an api whose database no other test touches."""
    async with start_api() as running:
        yield running


@pytest.mark.parametrize("code", ["40P01", "40001"], ids=["deadlock", "serialization"])
async def test_send__the_first_try_loses_a_race__is_written_by_the_second(own_api: Api, code: str) -> None:
    ada = await own_api.user()
    group = await ada.group()
    for statement in FAIL_ONCE:
        await own_api.sql(statement.replace("CODE", code))

    message = await ada.send(group["id"], "hello")

    assert message["seq"] == 1
    assert [row["n"] for row in await own_api.sql("select count(*) as n from messages")] == [1]
