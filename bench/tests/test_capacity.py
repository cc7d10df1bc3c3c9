"""The capacity model, and that docs/scaling.md shows what it makes of the committed costs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from synctalk_bench.capacity import page
from synctalk_bench.capacity.model import (
    API,
    CONNECTION,
    DELIVERY,
    GATEWAY,
    MEMBER,
    MESSAGE,
    NODES,
    NOTIFIER_DATABASE,
    PRESENCE_CHANGE,
    PUSH,
    RECEIPT,
    STORES,
    THINGS,
    USED,
    Costs,
    Use,
    cores_by_thing,
    limits,
    needs,
)

CHECKOUT = Path(__file__).resolve().parents[2]
NOTHING = Costs({thing: {} for thing in THINGS}, 0)
ONE_A_SECOND = Use(messages_a_day=86_400, peak=1, members=3, connected=0.5, pushed=1, receipts_a_delivery=0.5)


def mixture(deliveries: int, message_us: float, delivery_us: float) -> dict[str, object]:
    """Return what a load shows whose messages and deliveries cost just this, in every part."""
    a_delivery = message_us / deliveries + delivery_us
    return {"deliveries_a_message": deliveries, "cpu_us_a_delivery": {"edge": a_delivery, "gateway": a_delivery}}


def test_costs__of_two_mixtures__are_those_of_a_message_and_of_a_delivery() -> None:
    simple = {"cpu_us": {"notifier": 1, "PostgreSQL": 2}}
    measured: dict[str, dict[str, object]] = {
        name: dict(simple) for name in (RECEIPT, PUSH, MEMBER, PRESENCE_CHANGE, CONNECTION)
    }
    measured |= {"groups": mixture(9, 500, 20), "room": mixture(999, 500, 20)}
    measured["idle socket"] = {"kib": 16}

    costs = Costs.of(measured)

    assert costs.cpu_us[DELIVERY] == pytest.approx({"edge": 20, "gateway": 20})
    assert costs.cpu_us[MESSAGE] == pytest.approx({"edge": 500, "gateway": 500})
    assert costs.cpu_us[PUSH] == {"notifier": 1, NOTIFIER_DATABASE: 2}
    assert costs.cpu_us[RECEIPT] == {"notifier": 1, STORES: 2}
    assert costs.socket_kib == 16


def test_use__says_how_often_each_thing_happens() -> None:
    rates = ONE_A_SECOND.a_second(100)

    assert rates[MESSAGE] == pytest.approx(100)
    assert rates[DELIVERY] == pytest.approx(100)  # to one of the two others
    assert rates[PUSH] == pytest.approx(100)  # to the other one
    assert rates[RECEIPT] == pytest.approx(50)


def test_needs__by_cpu__are_rounded_up_and_leave_cores_their_share() -> None:
    costs = replace(NOTHING, cpu_us=dict(NOTHING.cpu_us) | {MESSAGE: {API: 6_500}})

    need = needs(costs, ONE_A_SECOND, 201)[API]

    assert need.cores == pytest.approx(201 * 0.0065)
    assert need.nodes == 3  # 2.01 processes at 65 %
    assert needs(costs, ONE_A_SECOND, 1)[API].nodes == 1


def test_needs__of_a_gateway_with_idle_sockets__go_by_memory() -> None:
    need = needs(replace(NOTHING, socket_kib=16), Use(messages_a_day=0), 1_000_000)[GATEWAY]

    assert need.cores == 0
    assert need.nodes == -(-1_000_000 * 16 // (768 * 1024))


def test_limits__are_where_no_more_can_be_added__the_first_one_first() -> None:
    costs = replace(NOTHING, cpu_us=dict(NOTHING.cpu_us) | {MESSAGE: {API: 1_000}, PUSH: {NOTIFIER_DATABASE: 1_000}})

    (first, database), (second, api) = limits(costs, ONE_A_SECOND)

    assert (database.part, api.part) == (NOTIFIER_DATABASE, API)
    assert first == pytest.approx(NODES[NOTIFIER_DATABASE].cores * USED / 0.001)
    assert second == pytest.approx(256 * USED / 0.001)
    assert needs(costs, ONE_A_SECOND, first)[NOTIFIER_DATABASE].nodes == 1
    assert needs(costs, ONE_A_SECOND, first * 1.01)[NOTIFIER_DATABASE].nodes == 2


def test_costs__of_things__add_up_to_those_of_the_parts() -> None:
    costs = Costs.read(CHECKOUT / "bench" / "results" / "costs.json")

    by_part = sum(need.cores for need in needs(costs, Use(), 1e6).values())
    assert sum(cores_by_thing(costs, Use(), 1e6).values()) == pytest.approx(by_part)


def test_measurements__say_where_they_are_from() -> None:
    committed = json.loads((CHECKOUT / "bench" / "results" / "costs.json").read_text())

    for name, row in committed["measured"].items():
        assert {"what", "source", "command", "date", "conditions"} <= row.keys(), name
        path, _, heading = row["source"].partition("#")
        headings = [line.lstrip("# ") for line in (CHECKOUT / path).read_text().splitlines() if line.startswith("#")]
        assert heading in {each.lower().replace(" ", "-").replace("'", "").replace(",", "") for each in headings}, name


def test_page__shows_what_the_model_makes_of_the_committed_costs() -> None:
    shown = (CHECKOUT / "docs" / "scaling.md").read_text()
    costs = Costs.read(CHECKOUT / "bench" / "results" / "costs.json")

    assert page.put_in(shown, page.text(costs, Use())) == shown
