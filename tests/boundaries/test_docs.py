"""The pages lead to each other: every page of `docs/` is in its index, and no link goes nowhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT)
    for pattern in (
        "*.md",
        "docs/**/*.md",
        "services/*/README.md",
        "libs/*/README.md",
        "deploy/*/README.md",
        "clients/*/README.md",
    )
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE_PATH = re.compile(r"`((?:libs|services|deploy|docs|tests|frontend|bench)/[\w./-]+)`")
METRIC = re.compile(r"`((?!test_)[a-z]+_[a-z_]+_(?:total|seconds|waiting|ratio|messages|overdue|in_flight))[`{]")
FORM = ["Tables", "Events in and out", "Settings", "How it works", "When it hurts"]


def links(page: Path) -> set[Path]:
    targets = [target for target in LINK.findall((ROOT / page).read_text()) if "://" not in target]
    return {(ROOT / page.parent / target).resolve() for target in targets}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links__of_a_page__lead_to_files(page: Path) -> None:
    assert [str(target) for target in links(page) if not target.exists()] == []


def test_index__names_every_page_of_docs() -> None:
    index = Path("docs/README.md")
    pages = {ROOT / page for page in PAGES if page.parts[0] == "docs" and page != index}
    assert pages - links(index) == set()


@pytest.mark.parametrize("page", [page for page in PAGES if "how-to" in page.parts], ids=str)
def test_how_to__names_files_that_exist(page: Path) -> None:
    named = CODE_PATH.findall((ROOT / page).read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_metrics__that_pages_name__exist() -> None:
    code = "".join(path.read_text() for folder in ("libs", "services") for path in ROOT.glob(f"{folder}/*/src/**/*.py"))
    named = {name for page in PAGES for name in METRIC.findall((ROOT / page).read_text())}
    assert {name for name in named if f'"{name}"' not in code} == set()


@pytest.mark.parametrize("service", ["api", "auth", "gateway", "notifier", "presence"])
def test_readme__of_a_service__has_the_form_of_all(service: str) -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "services" / service / "README.md").read_text(), re.MULTILINE)
    assert [heading for heading in headings if heading in FORM] == FORM
