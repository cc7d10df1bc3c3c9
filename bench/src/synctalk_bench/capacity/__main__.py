"""`python -m synctalk_bench.capacity` writes tables and pictures of docs/scaling.md, from bench/results/costs.json."""

from pathlib import Path

from synctalk_bench.capacity import page, plots
from synctalk_bench.capacity.model import Costs, Use

CHECKOUT = Path(__file__).resolve().parents[4]
COSTS = CHECKOUT / "bench" / "results" / "costs.json"
PAGE = CHECKOUT / "docs" / "scaling.md"
IMAGES = CHECKOUT / "docs" / "images"


def main() -> None:
    costs, use = Costs.read(COSTS), Use()
    PAGE.write_text(page.put_in(PAGE.read_text(), page.text(costs, use)))
    for path in (PAGE, *plots.draw(costs, use, IMAGES)):
        print(path.relative_to(CHECKOUT))


if __name__ == "__main__":
    main()
