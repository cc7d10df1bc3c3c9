"""What the model says, as the part of docs/scaling.md between two marks."""

from collections.abc import Sequence

from synctalk_bench.capacity.model import (
    MEMBER,
    PARTS,
    PUSH,
    THINGS,
    Costs,
    Need,
    Use,
    cores_by_thing,
    limits,
    needs,
)

BEGIN, END = "<!-- made by synctalk_bench.capacity -->\n", "<!-- to here -->\n"
SCALES = (1e4, 1e6, 1e8)
NAMES = {1e4: "ten thousand", 1e6: "one million", 1e8: "a hundred million"}


def put_in(page: str, made: str) -> str:
    """Return the page with what is between the marks replaced."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError("the page has no marks")
    return before + BEGIN + made + END + after


def text(costs: Costs, use: Use) -> str:
    return "\n".join([*_costs(costs), "", *_rates(use), "", *_needs(costs, use), "", *_limits(costs, use), ""])


def _costs(costs: Costs) -> list[str]:
    parts = [part for part in PARTS if any(costs.cpu_us[thing].get(part) for thing in THINGS)]
    rows = [
        [thing, *(_us(costs.cpu_us[thing].get(part)) for part in parts), _us(sum(costs.cpu_us[thing].values()))]
        for thing in THINGS
    ]
    return _table(["µs of CPU of a", *parts, "all"], rows)


def _rates(use: Use) -> list[str]:
    rates = {users: use.a_second(users) for users in SCALES}
    rows = [[thing, *(_short(rates[users][thing]) for users in SCALES)] for thing in THINGS if thing != MEMBER]
    return _table(["a second, with so many connected", *(NAMES[users] for users in SCALES)], rows)


def _needs(costs: Costs, use: Use) -> list[str]:
    found = {users: needs(costs, use, users) for users in SCALES}
    rows = [[part, *(_need(each[part]) for each in found.values())] for part in PARTS]
    totals = [f"{_short(sum(need.cores for need in each.values()))}" for each in found.values()]
    sockets = [f"{_short(users * costs.socket_kib / 2**20)} GiB" for users in SCALES]
    pushes = [
        f"{100 * cores_by_thing(costs, use, users)[PUSH] / sum(cores_by_thing(costs, use, users).values()):.0f} %"
        for users in SCALES
    ]
    rows += [["all: cores", *totals], ["of it for pushes", *pushes], ["memory of sockets", *sockets]]
    return _table(["cores busy · processes or nodes", *(NAMES[users] for users in SCALES)], rows)


def _need(need: Need) -> str:
    too_many = f" (of {need.most:.0f})" if need.nodes > need.most else ""
    return f"{_short(need.cores)} · {_short(need.nodes)}{too_many}"


def _limits(costs: Costs, use: Use) -> list[str]:
    rows = [[f"{_short(users)} connected", need.part, need.why] for users, need in limits(costs, use)]
    return _table(["full at", "what", "why no more of it helps"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _us(value: float | None) -> str:
    return f"{value:,.1f}" if value and value < 10 else f"{value:,.0f}" if value else ""


def _short(value: float) -> str:
    """Return two significant digits: the assumptions do not carry more."""
    for size, unit in ((1e9, " billion"), (1e6, " million")):
        if value >= size:
            return f"{_short(value / size)}{unit}"
    if value < 10:
        return f"{value:.2g}" if value >= 0.01 else "< 0.01"
    digits = max(0, len(str(int(value))) - 2)
    return f"{round(value / 10**digits) * 10**digits:,}"
