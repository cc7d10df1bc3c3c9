"""What searching sees in a text, what it asks the index for, what it marks."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synctalk_api import terms


def seen(body: str) -> list[str]:
    return [part.removeprefix(terms.PLACE).rsplit(":", 1)[0] for part in terms.vector(body).split()]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", []),
        ("!&|():*'\\ \x01 — →", []),
        ("See https://docs.example.com/a_b?x=1", ["see", "https", "docs", "example", "com", "a", "b", "x", "1"]),
        ("PLT-3699 qwerty4", ["plt", "3699", "qwerty", "4"]),
        ("Jose\u0301 JOSÉ Łódź ß", ["jose", "jose", "lodz", "ss"]),
        ("爸爸餓", ["爸爸", "爸餓", "餓"]),
        ("ｶﾞ ガ カ", ["ガ", "ガ", "カ"]),
        ("한국", ["한국", "국"]),
        ("ครับ", ["ครั", "รับ", "บ"]),
        ("🍋👍🏽 ❤️ 1️⃣ 🇺🇳 👩‍💻", ["🍋", "👍", "❤", "1⃣", "🇺🇳", "👩‍💻"]),
        ("हिन्दी", ["हिन्दी"]),
    ],
)
def test_vector__has_the_units_folded(body: str, expected: list[str]) -> None:
    assert seen(body) == expected
    assert seen(unicodedata.normalize("NFD", body)) == expected


@pytest.mark.parametrize(
    ("asked", "tsquery"),
    [
        ("fox", "(~fox:*)"),
        ("quick fox", "(~quick) & (~fox:*)"),
        ("fox -quick", "(~fox) & !(~quick)"),
        ('"quick fox" hound', "(~quick <1> ~fox) & (~hound:*)"),
        ('"quick fox', "(~quick <1> ~fox)"),
        ("PLT-3699", "(~plt <1> ~3699:*)"),
        ("爸", "(~爸:*)"),
        ("我的爸 x", "(~我的 <1> ~的爸) & (~x:*)"),
        ("爸爸a", "(~爸爸 <2> ~a:*)"),
        ("-fox", "!(~fox)"),
        ('-"quick fox" -hound', "!(~quick <1> ~fox) & !(~hound)"),
    ],
)
def test_query__asks_for_all_words_and_the_last_as_a_prefix(asked: str, tsquery: str) -> None:
    query = terms.query(asked)

    assert query is not None
    assert query.tsquery.replace(terms.PLACE, "~") == tsquery


@pytest.mark.parametrize("asked", ["", " ", "-", '""', "!&|():*'\\", "\x01", "a " * 33, "->"])
def test_query__of_nothing_to_look_for_or_too_much__is_none(asked: str) -> None:
    assert terms.query(asked) is None


@pytest.mark.parametrize(
    ("body", "asked", "html"),
    [
        ("<b>fox</b> & 'x'", "fox", "&lt;b&gt;<mark>fox</mark>&lt;/b&gt; &amp; &#x27;x&#x27;"),
        ("foxes and a fox", "fox", "<mark>foxes</mark> and a <mark>fox</mark>"),
        ("PLT-3699", "3699", "PLT-<mark>3699</mark>"),
        ("guide/qwerty4?x", "qwerty4", "guide/<mark>qwerty4</mark>?x"),
        ("我的爸爸肚子", "爸爸", "我的<mark>爸爸</mark>肚子"),
        ("我的爸爸肚子", "肚", "我的爸爸<mark>肚</mark>子"),
        ("Jose\u0301!", "jose", "<mark>José</mark>!"),
        ("a 👍🏽 b", "👍", "a <mark>👍🏽</mark> b"),
    ],
)
def test_highlighted__marks_what_was_asked_for_in_safe_html(body: str, asked: str, html: str) -> None:
    query = terms.query(asked)

    assert query is not None
    assert terms.highlighted(body, query) == html


@pytest.mark.parametrize(("asked", "only"), [("-fox", True), ("-a -b", True), ("fox", False), ("fox -a", False)])
def test_query__of_negations__says_so(asked: str, only: bool) -> None:
    query = terms.query(asked)

    assert query is not None
    assert query.excludes_only is only


@pytest.mark.parametrize(
    ("body", "asked", "ranges"),
    [
        ("a fox and a fox", "fox", [(2, 5), (12, 15)]),
        ("👍🏽 fox", "fox", [(3, 6)]),
        ("Jose\u0301 and José", "jose", [(0, 5), (10, 14)]),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8 x", "국", [(3, 6)]),
        ("我的爸爸肚子", "爸爸", [(2, 4)]),
        ("nothing", "fox", []),
        ("a " * 300, "a", [(2 * n, 2 * n + 1) for n in range(100)]),
    ],
)
def test_ranges__are_the_hits_in_the_body_as_it_is(body: str, asked: str, ranges: list[tuple[int, int]]) -> None:
    query = terms.query(asked)

    assert query is not None
    assert [tuple(span) for span in terms.ranges(body, query)] == ranges


def test_vector__with_tags__has_them_beside_the_terms() -> None:
    assert terms.vector("fox", ["@pin"]) == "\x01fox:1 \x01@pin"
    assert terms.vector("", ["@pin"]) == "\x01@pin"
    assert terms.vector("@pin @all") == "\x01pin:1 \x01all:2"


def test_highlighted__far_into_a_long_body__shows_the_place() -> None:
    query = terms.query("fox")
    assert query is not None

    shown = terms.highlighted("word " * 700 + "a fox " + "word " * 700, query)

    assert "a <mark>fox</mark> word" in shown
    assert shown.startswith("word ")
    assert len(shown) < 300


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("aé爸ดี👍\u200d1-\"' :\x01"), max_size=60))
def test_terms__of_any_text__are_words_of_a_vector_and_fold_alike(text: str) -> None:
    for part in terms.vector(text).split(" ") if terms.vector(text) else []:
        assert part.startswith(terms.PLACE)
        assert not set(part[1:].rsplit(":", 1)[0]) & set(" '\"\\:&|!()<>\x01")
    assert terms.fold(terms.fold(text)) == terms.fold(text)
    query = terms.query(text)
    if query is not None:
        terms.highlighted(text, query)
        for start, end in terms.ranges(text, query):
            assert 0 <= start < end <= len(text)


@pytest.mark.parametrize("piece", ["a", "a1", "é", "爸", "👍", "\u0301", "\ufdfa", "ก\u0e49", "👩\u200d", "\u1100"])
def test_vector__of_the_longest_body__costs_as_much_a_character_as_of_a_short_one(piece: str) -> None:
    def took(characters: int) -> float:
        """Return the time of one call, the best of several in a row."""
        body = (piece * characters)[:characters]
        times = []
        for _ in range(5):
            began = time.process_time()
            terms.vector(body)
            times.append(time.process_time() - began)
        return min(times)

    assert took(8_000) < 3 * 10 * took(800)
