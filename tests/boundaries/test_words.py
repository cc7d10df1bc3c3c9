"""One word for each thing: the words of `docs/glossary.md` hold in code, and no text names somebody's machine."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "libs",
    "services",
    "deploy",
    "docs",
    "tests",
    "bench",
    "clients",
    "examples",
    "frontend/src",
    "frontend/e2e",
    ".github",
    ".ci",
)
FILES = ("*.md", "*.toml", "*.yml", "Makefile", ".env.example", ".dockerignore")
SUFFIXES = {
    ".py", ".sql", ".lua", ".md", ".toml", ".yml", ".yaml", ".json", ".sh", ".ts", ".tsx", ".css", ".html", ".template",
    "",
}  # fmt: skip
UNWANTED = {
    "a path of a machine": re.compile(r"/(work|home/\w+|Users/\w+)/\w"),
    "something left to do": re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b"),
}
SKIPPED = {"node_modules", "__pycache__", "dist", ".venv", "test-results", ".local", "coverage"}

CODE = {".py", ".ts", ".tsx", ".sql", ".lua"}
NOT_CODE_OF_TODAY = ("/migrations/", "clients/js/src/contracts.ts", "tests/boundaries/test_words.py")
"""Applied migrations may not change, the contracts' types are generated, and this file quotes."""
HOLDS = ("libs", "services", "deploy", "docs", "tests", "bench", "clients", "examples", "frontend/src", "frontend/e2e")
ALLOWED = re.compile(
    r"""
      math\.floor|Math\.floor        # the functions
    | (into|update|from)\ heard\b|heard_at  # a view for the version before, in a test
    | asker_id|\.strangers\b|\bstrangers[=:]|"strangers"|\.held\b|\bheld[=:)]|"held"  # fields between our services
    | (from|into|update)\ people\b|\bpeople\.[a-z]|`people`|:person:  # tables and keys that older versions know too
    | "SYNCTALK_[A-Z_]+":            # settings under their old names
    | aria-[a-z]+|role="[a-z]+"      # the browser's words
    | '[^'\n]*\b(people|person)\b[^'\n]*'  # what users of the web client read
    """,
    re.VERBOSE | re.IGNORECASE,
)


def texts(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and path.suffix in SUFFIXES and not SKIPPED & set(path.relative_to(ROOT).parts)
    ]


def refused_words() -> list[str]:
    """Return what stands in code in the last column of the glossary's table."""
    rows = [line for line in (ROOT / "docs/glossary.md").read_text().splitlines() if line.startswith("| ")]
    return sorted({word for row in rows for word in re.findall(r"`(.+?)`", row.split("|")[3])})


def found_in(code: str, refused: list[str]) -> Iterator[str]:
    """Yield each refused word as often as the code has it, as a part of a name, a name of its own, or a phrase."""
    code = ALLOWED.sub(" ", code)
    names = re.findall(r"\w+", code)
    parts = Counter(part.lower() for name in names for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))
    whole = Counter(names)
    for word in refused:
        if " " in word:
            yield from re.findall(re.escape(word), code)
        else:
            yield from [word] * (parts[word] if word.islower() else whole[word])


def refused_in(folder: str) -> dict[str, list[str]]:
    refused = refused_words()
    found = {
        str(path.relative_to(ROOT)): sorted(set(found_in(path.read_text(), refused)))
        for path in texts(folder)
        if path.suffix in CODE and not any(part in str(path) for part in NOT_CODE_OF_TODAY)
    }
    return {path: words for path, words in found.items() if words}


@pytest.mark.parametrize("folder", HOLDS)
def test_code__has_only_words_of_the_glossary(folder: str) -> None:
    assert refused_in(folder) == {}


def test_check__a_refused_word__is_found_in_names_and_comments() -> None:
    refused = ["told", "Order", "too much for"]
    assert list(found_in("def was_told(): ...  # Told again", refused)) == ["told", "told"]
    assert list(found_in("toldest = wasTold(TOLD_S)", refused)) == ["told", "told"]
    assert list(found_in("class Order: ...  # order by", refused)) == ["Order"]
    assert list(found_in("too much for one", refused)) == ["too much for"]


def test_glossary__names_words_to_refuse() -> None:
    assert {"tidings", "stranger", "door", "TheParts"} <= set(refused_words())


@pytest.mark.parametrize("what", UNWANTED)
def test_texts__hold_nothing_that_is_only_ours(what: str) -> None:
    found = []
    above = [path for pattern in FILES for path in ROOT.glob(pattern)]
    for path in [*texts(*FOLDERS), *above]:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if UNWANTED[what].search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")

    assert found == []


def test_check__a_path_of_a_machine__is_seen() -> None:
    folder = "work"
    assert UNWANTED["a path of a machine"].search(f"see /{folder}/somewhere")
    assert not UNWANTED["a path of a machine"].search("see https://example.com/homework/a")


def test_lock__names_no_registry() -> None:
    """Packages come from the index of whoever installs; `make setup` empties what `uv add` wrote."""
    assert set(re.findall(r'registry = "(.*?)"', (ROOT / "uv.lock").read_text())) == {""}
