"""Which links of a text get previews."""

from time import perf_counter

import pytest
from synctalk_contracts.links import MAX_LINKS, links_of


@pytest.mark.parametrize(
    ("body", "links"),
    [
        ("hello", []),
        ("https://example.org", ["https://example.org"]),
        (
            "See https://example.org/a?b=c#d, and HTTP://example.com.",
            ["https://example.org/a?b=c#d", "HTTP://example.com"],
        ),
        ("(www.example.org/path)", ["https://www.example.org/path"]),
        ("https://en.wikipedia.org/wiki/Talk_(film)", ["https://en.wikipedia.org/wiki/Talk_(film)"]),
        ("看https://example.org/路。好", ["https://example.org/路"]),
        ("“https://example.org”", ["https://example.org"]),
        ("https://example.org https://example.org", ["https://example.org"]),
        ("`https://example.org` and ```\nhttps://example.org\n```", []),
        ("ftp://example.org mailto:ada@example.org xhttps://example.org", []),
        ("https:// https://[::1 https://?", []),
        ("https://example.org/" + "x" * 2048, []),
    ],
)
def test_links_of__a_text__are_its_links(body: str, links: list[str]) -> None:
    assert links_of(body) == links


def test_links_of__many__are_the_first_ones() -> None:
    assert links_of(" ".join(f"https://example.org/{n}" for n in range(10))) == [
        f"https://example.org/{n}" for n in range(MAX_LINKS)
    ]


@pytest.mark.parametrize("text", ["https://" * 1_000, "www." * 2_000, "`" * 8_000, "https://a(" * 800, "(" * 8_000])
def test_links_of__a_text_made_to_be_slow__is_not(text: str) -> None:
    start = perf_counter()
    links_of(text)
    assert perf_counter() - start < 0.5
