"""Bringing others into conversations: it costs by how many, has an allowance a day, and delays nobody else."""

from synctalk_testkit.http import Response

from services.api.tests.integration.conftest import Start, User


async def begin(user: User, *others: User) -> Response:
    body = {"type": "group", "title": "A group", "member_ids": [other.id for other in others]}
    return await user.call("POST", "/v1/conversations", body)


async def add(user: User, conversation_id: str, *others: User) -> Response:
    path = f"/v1/conversations/{conversation_id}/members"
    return await user.call("POST", path, {"user_ids": [other.id for other in others]})


def refused_by(response: Response) -> str:
    assert (response.status, response.code) == (429, "rate_limited"), response
    assert response.body["error"]["retry_after"] > 0
    assert int(response.headers["Retry-After"]) > 0
    return str(response.body["error"]["details"]["limit"])


async def test_naming__costs_by_how_many_are_named(start_api: Start) -> None:
    async with start_api(named_rate_per_s=0.001, named_burst=5) as api:
        ada, *others = await api.users(6)

        group = await begin(ada, *others[:3])
        too_many = await begin(ada, *others[:3])
        added = await add(ada, group.body["id"], others[3], others[4])
        one_more = await add(ada, group.body["id"], others[0])
        somebody_else = await begin(others[0], *others[1:])

        assert (group.status, added.status, somebody_else.status) == (201, 200, 201)
        assert {refused_by(too_many), refused_by(one_more)} == {"api_named"}


async def test_group__as_large_as_may_be__is_made_by_a_full_bucket(start_api: Start) -> None:
    async with start_api(named_rate_per_s=0.001, named_burst=2) as api:
        ada, *others = await api.users(5)

        assert (await begin(ada, *others)).status == 201


async def test_groups__beyond_the_days_allowance__are_refused(start_api: Start) -> None:
    async with start_api(groups_per_day=2) as api:
        ada, ben = await api.users(2)
        made = [await begin(ada), await begin(ada, ben)]

        third = await begin(ada)

        assert [response.status for response in made] == [201, 201]
        assert refused_by(third) == "api_groups"
        assert (await ada.call("POST", "/v1/conversations", {"type": "direct", "member_ids": [ben.id]})).status == 201


async def test_unrelated_users__beyond_the_days_allowance__are_refused_but_contacts_are_not(start_api: Start) -> None:
    async with start_api(unrelated_per_day=2) as api:
        ada, ben, cleo, eve = await api.users(4)
        direct = await ada.direct(ben)
        group = await begin(ada, ben, cleo)

        refusals = [
            await begin(ada, eve),
            await add(ada, group.body["id"], eve),
            await ada.call("POST", "/v1/conversations", {"type": "direct", "member_ids": [eve.id]}),
        ]
        again = await ada.call("POST", "/v1/conversations", {"type": "direct", "member_ids": [ben.id]})
        contacts = await begin(ada, ben, cleo)

        assert {refused_by(response) for response in refusals} == {"api_unrelated"}
        assert (again.status, again.body["id"], contacts.status) == (200, direct["id"], 201)


async def test_invited__into_as_many_groups_as_may_be__are_named_to_who_adds_them(start_api: Start) -> None:
    async with start_api(invited_groups_max=2) as api:
        ada, ben, cleo = await api.users(3)
        own = await begin(ben)
        first, second = await begin(ada, ben), await begin(cleo, ben, ada)

        refusals = [await begin(ada, cleo, ben), await add(ada, second.body["id"], ben), await begin(cleo, ben)]
        of_a_direct_one = await ada.call("POST", "/v1/conversations", {"type": "direct", "member_ids": [ben.id]})
        await ben.delete(f"/v1/conversations/{first.body['id']}/members/{ben.id}")
        after_leaving = await begin(cleo, ben)

        assert own.status == 201
        assert [(response.status, response.body.get("error", {}).get("code")) for response in refusals] == [
            (409, "conflict"),
            (200, None),
            (409, "conflict"),
        ]
        assert refusals[0].body["error"]["details"] == {"user_ids": [ben.id]}
        assert (of_a_direct_one.status, after_leaving.status) == (201, 201)
