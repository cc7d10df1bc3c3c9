"""The model's pictures, for docs/scaling.md. Needs matplotlib: `uv sync --all-packages --group plots`."""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot
from matplotlib.figure import Figure

from synctalk_bench.capacity.model import PARTS, THINGS, Costs, Use, cores_by_thing, limits, needs
from synctalk_bench.capacity.page import SCALES

STEPS = 41
COLORS = [mpl.colormaps["tab20"](number) for number in range(20)]


def draw(costs: Costs, use: Use, folder: Path) -> list[Path]:
    """Write the pictures and return where they are."""
    mpl.use("agg")
    return [_cores(costs, use, folder / "scaling-cores.png"), _things(costs, use, folder / "scaling-things.png")]


def _cores(costs: Costs, use: Use, path: Path) -> Path:
    low, high = SCALES[0], SCALES[-1]
    users = [low * (high / low) ** (n / (STEPS - 1)) for n in range(STEPS)]
    found = [needs(costs, use, each) for each in users]
    figure, axes = pyplot.subplots(figsize=(8, 5))
    for part, color in zip(PARTS, COLORS, strict=False):
        axes.plot(users, [each[part].cores for each in found], label=part, color=color)
    for at, need in limits(costs, use):
        if low <= at <= high:
            color = COLORS[PARTS.index(need.part)]
            axes.plot([at], [needs(costs, use, at)[need.part].cores], "o", color=color)
    axes.set(xscale="log", yscale="log", xlabel="users connected", ylabel="cores busy in the busiest hour")
    axes.set_title("Cores by part; a dot: no more of it can be added")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return _saved(figure, path)


def _things(costs: Costs, use: Use, path: Path) -> Path:
    spent = cores_by_thing(costs, use, 1e6)
    figure, axes = pyplot.subplots(figsize=(8, 3.2))
    things = sorted(THINGS, key=lambda thing: spent[thing])
    bars = axes.barh(things, [spent[thing] for thing in things], color=COLORS[0])
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axes.set(xlabel="cores busy in the busiest hour")
    axes.set_title("What a million connected users keep busy with, by what happens")
    return _saved(figure, path)


def _saved(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=100, bbox_inches="tight", metadata={"Software": None})
    pyplot.close(figure)
    return path
