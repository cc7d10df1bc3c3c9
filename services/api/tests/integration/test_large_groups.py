"""Groups of thousands: what is published of a change, and what it costs, does not go with their size."""

import orjson
from synctalk_api.actions.conversations import VIEWS_MAX
from synctalk_api.store import members
from synctalk_contracts.topology import conversation_channel
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, User

MEMBERS = 2_000
MOST_BYTES = 3_000

ADD = """
with added as (insert into users (id, username, display_name)
               select gen_random_uuid(), 'absent-' || n, 'Absent' from generate_series(1, $2) n returning id),
     counted as (update conversations set members_count = members_count + $2 where id = $1)
insert into members (conversation_id, user_id, role, joined_at, change_seq, joined_seq)
select $1, id, 'member', now(), 1, 0 from added"""


async def large(api: Api) -> tuple[User, Json]:
    owner = await api.user()
    group = await owner.group()
    await api.sql(ADD, group["id"], MEMBERS)
    return owner, group


async def test_change__of_a_large_group__is_published_without_what_it_is_to_each_member(api: Api) -> None:
    owner, group = await large(api)
    message = await owner.send(group["id"])
    await api.subscribe(group["id"])
    path = f"/v1/conversations/{group['id']}"

    await owner.patch(path, {"title": "Renamed"})
    await owner.put(f"{path}/messages/{message['id']}/pin")
    await eventually(lambda: len(api.redis.room_events(group["id"])) == 3)

    renamed, pinned, of_conversation = api.redis.room_events(group["id"])
    assert (renamed.event, renamed.change_seq, renamed.payload) == ("conversation:updated", 3, {})
    assert (pinned.event, pinned.change_seq) == ("message:updated", 4)
    assert (of_conversation.event, of_conversation.change_seq) == ("conversation:updated", None)
    assert (renamed.views, of_conversation.views) == (None, None)
    published = [data for channel, data in api.redis.received if channel == conversation_channel(group["id"])]
    assert sum(map(len, published)) < MOST_BYTES


async def test_change__of_a_group_that_is_not_large__is_published_with_what_it_is_to_each_member(api: Api) -> None:
    owner, *others = await api.users(3)
    group = await owner.group(*others)
    await api.sql(ADD, group["id"], VIEWS_MAX - 3)
    await api.subscribe(group["id"])

    await owner.patch(f"/v1/conversations/{group['id']}", {"title": "Renamed"})
    await eventually(lambda: api.redis.room_events(group["id"]))

    (renamed,) = api.redis.room_events(group["id"])
    assert renamed.views is not None
    assert len(renamed.views) == VIEWS_MAX
    assert renamed.payload["title"] == "Renamed"


async def test_own_state__in_a_large_group__is_published_for_its_member_alone(api: Api) -> None:
    owner, group = await large(api)
    await api.subscribe(group["id"])

    await owner.patch(f"/v1/conversations/{group['id']}/me", {"pinned": True})
    await eventually(lambda: api.redis.room_events(group["id"]))

    (event,) = api.redis.room_events(group["id"])
    assert event.views is not None
    assert list(event.views) == [owner.id]


async def test_members_for_whom_a_message_does_not_exist__are_found_without_looking_at_the_others(api: Api) -> None:
    owner, ben = await api.users(2)
    group = await owner.group()
    await owner.patch(f"/v1/conversations/{group['id']}", {"history": "since_joined"})
    old = await owner.send(group["id"])
    await owner.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [ben.id]})
    await owner.send(group["id"])
    await api.sql(ADD, group["id"], MEMBERS)
    await api.sql("analyze members")

    asked = [group["id"]], [old["seq"]]
    (plan,) = await api.sql(f"explain (analyze, format json) {members.NOT_SEEING}", *asked)
    found = await api.sql(members.NOT_SEEING, *asked)

    assert [str(each) for each in found[0]["user_ids"]] == [ben.id]
    assert max(_rows_of(orjson.loads(plan["QUERY PLAN"])[0]["Plan"])) < MEMBERS / 10


def _rows_of(node: Json) -> list[float]:
    """Return how many rows each node of a plan has read, those that it dropped too."""
    read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return [read, *(rows for child in node.get("Plans", ()) for rows in _rows_of(child))]
