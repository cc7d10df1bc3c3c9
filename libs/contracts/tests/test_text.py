"""What names, titles, statuses, bodies and reactions may be."""

import time
import unicodedata
from typing import Any

import emoji
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from synctalk_contracts import text

LINES = [text.Name, text.Title, text.Status]


def _taken(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value, strict=True)


def _refused(kind: Any, value: object) -> bool:
    try:
        _taken(kind, value)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("kind", [text.Body, *LINES, text.Text, text.Emoji])
@pytest.mark.parametrize("value", ["a\0b", "\ud800", "👍\udfff", 1, None, True, b"abc", ["a"]], ids=repr)
def test_text__that_postgresql_cannot_hold_or_is_none__is_refused(kind: Any, value: object) -> None:
    assert _refused(kind, value)


NOTHING_SHOWN = [
    " ", "\n\t\u3000", "\u200b", "\u2800", "\u3164", "\u115f\u1160", "\uffa0", "\u034f", "\u200d", "\u200c\u200d",
    "\u0301", "\u0301\u0302", "\ufe0f", "\u00ad", "\u2060", "\ufeff", "\u2028", "\u202e", "\x07", "\U000e0041",
    "\ufffc", "\U0001d159", "\uffff", "\u17b4", " \u2800 \u3164 ",
]  # fmt: skip


@pytest.mark.parametrize("kind", [text.Body, text.Name, text.Title])
@pytest.mark.parametrize("value", ["", *NOTHING_SHOWN], ids=ascii)
def test_text__that_shows_nothing__is_refused(kind: Any, value: str) -> None:
    assert _refused(kind, value)


@pytest.mark.parametrize("value", ["x" * 8_001, "👍" * 8_001])
def test_body__too_long__is_refused(value: str) -> None:
    assert _refused(text.Body, value)


@pytest.mark.parametrize(
    "value",
    ["x", " x ", "x" * 8_000, "👍" * 8_000, "a\nb\u202e", "e\u0301", "\u200b.\u200b", "\uf8ff", "\U0001fae8", "\u0600"],
    ids=lambda value: ascii(value[:20]),
)
def test_body__that_shows_something__is_kept_to_the_letter(value: str) -> None:
    assert _taken(text.Body, value) == value


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize(
    "value",
    [
        "a\nb", "a\tb", "a\x07b", "a\u202eb", "\u200eAda", "Ada\u200f", "\u061cAda", "a\u2066b", "a\u2028b",
        "a\u200bb", "a\u00adb", "a\u2060b", "Ada\u3164", "\u2800Ada", "A\u115fda", "A\u034fda", "Ada\ufeff", "\ue000",
        "a\u200cb", "Ada\u200d", "\u200dAda", "\u0430\u200d\u0431", "1\ufe0f", "A\ufe0f", "\ufe0fA",
        "علی\u200c", "\u200cعلی", "علی\u200c\u200cرضا", "สวัส\u200dดี", "👍\u200d", "👍\u200dA", "👍\u200d\u200d👍",
        "🏴\U000e0067\U000e0062", "A\U000e0067\U000e0062\U000e0065\U000e007f", "🏴\U000e007f", "\U000e0101A",
    ],
    ids=ascii,
)  # fmt: skip
def test_line__with_a_character_that_shows_nothing_where_nothing_needs_it__is_refused(kind: Any, value: str) -> None:
    assert _refused(kind, value)


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize(
    "value",
    [
        "علی\u200cرضا", "می\u200cخواهم", "سوء\u200cاستفاده", "سه\u200cبعدی", "۳\u200cبعدی",
        "क्\u200dष", "श्री\u200dमान्", "श्रीमान्\u200c", "র\u200d্যাব", "ശ്രീ\u200cനാഥ്", "രാജന്\u200d", "ශ්\u200dරී",
        "👩\u200d💻 Ada", "❤️ Ada", "❤\ufe0e", "1️⃣", "#\u20e3",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "🏳️\u200d🌈", "👩🏽\u200d❤️\u200d💋\u200d👨🏿", "🇺🇳", "\U0001fae8", "渡邉\U000e0102", "ᠮᠣᠩᠭᠣᠯ\u180b",
    ],
    ids=ascii,
)  # fmt: skip
def test_line__with_joiners_selectors_and_tags_where_they_are_needed__is_taken(kind: Any, value: str) -> None:
    assert _taken(kind, value) == unicodedata.normalize("NFC", value)


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize(
    "value",
    [
        "x" + "\u0301" * 20, "o" + "\u0300\u0301\u0302\u0303\u0304\u0305", "ก" + "็" * 9, "ب" + "ّ" * 5,
        "\u0301Ada", "H" + "".join(map(chr, range(0x300, 0x320))) + "i",
    ],
    ids=ascii,
)  # fmt: skip
def test_line__with_a_stack_of_marks_or_one_at_its_beginning__is_refused(kind: Any, value: str) -> None:
    assert _refused(kind, value)


@pytest.mark.parametrize(
    "value",
    [
        "Nguyễn Thị Ngọc Ánh", "Jūratė i̇́", "שָּׁ֑ב", "בְּרֵאשִׁ֖ית בָּרָ֣א", "ที่นี่ กั้ง", "مُحَمَّدٌ", "ٱللَّٰهُ",
        "རྐྱེན་ ཧཱུྃ ཀྵྨྲྱྃ", "क्ष्म्य ज्ञाँ", "ကျွန်ုပ်", "မြွှေး့", "ខ្មែរ ស្ត្រី", "ಶ್ರೀ", "தமிழ்", "한국어", "각\u11a8",
    ],
)  # fmt: skip
def test_name__in_a_language_whose_letters_carry_several_marks__is_taken(value: str) -> None:
    for form in ("NFC", "NFD"):
        assert _taken(text.Name, unicodedata.normalize(form, value)) == unicodedata.normalize("NFC", value)


@pytest.mark.parametrize(
    ("value", "kept"),
    [("  Ada  ", "Ada"), ("\uff21da", "\uff21da"), ("Jose\u0301", "José"), ("Ada\u00a0L.", "Ada\u00a0L.")],
)
def test_name__is_kept_composed_and_without_margins(value: str, kept: str) -> None:
    assert _taken(text.Name, value) == kept


@pytest.mark.parametrize("value", ["x" * 65, "\u0958" * 64])
def test_name__too_long_as_sent_or_when_composed__is_refused(value: str) -> None:
    assert _refused(text.Name, value)


@pytest.mark.parametrize("value", ["аdmin", "Αdа", "the supроrt", "pаypal 🎉"])
def test_name__of_a_latin_word_with_letters_that_only_look_latin__is_refused(value: str) -> None:
    assert _refused(text.Name, value)


@pytest.mark.parametrize("value", ["Иван Ivan", "Ада", "SMMщик", "Σοφία", "Ада-IT", "µ-Ada", "Аня (HR)", "ОСА"])
def test_name__in_two_scripts_that_do_not_disguise__is_taken(value: str) -> None:
    assert _taken(text.Name, value) == value


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_status__of_white_space__is_none(value: str) -> None:
    assert _taken(text.Status, value) == ""


@pytest.mark.parametrize("value", [value for value in NOTHING_SHOWN if value.strip()], ids=ascii)
def test_status__that_shows_nothing_but_is_no_white_space__is_refused(value: str) -> None:
    assert _refused(text.Status, value)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("👍", "👍"), ("👍\ufe0f", "👍"), ("❤", "❤️"), ("❤️", "❤️"), ("1⃣", "1️⃣"), ("1️⃣", "1️⃣"), ("ℹ", "ℹ️"), ("©", "©️"),
        ("🇺🇳", "🇺🇳"), ("🩷", "🩷"), ("\U0001fae8", "\U0001fae8"), ("👩‍👩‍👧", "👩‍👩‍👧"), ("👍🏽", "👍🏽"), ("👁‍🗨", "👁️‍🗨️"),
        ("🏳‍🌈", "🏳️‍🌈"), ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"), ("👩🏽‍❤‍💋‍👨🏿", "👩🏽‍❤️‍💋‍👨🏿"),
    ],
)  # fmt: skip
def test_emoji__with_and_without_its_selector__is_the_same(value: str, kept: str) -> None:
    assert _taken(text.Emoji, value) == kept


@pytest.mark.parametrize(
    "value",
    [
        "", "a", "1", ":)", "👍 ", "👍a", "é", "ok", "中", "🔥🔥🔥🔥", "👍" * 17, "👍👍", "/", "\ue000", "👍\u202e",
        "🇺", "🇺🇳🇺🇳", "👍\u200d", "\u200d", "\ufe0f", "❤\ufe0e", "👍\u200d👍", "🏴\U000e0067\U000e007f", "\u2603\u0301",
    ],
    ids=ascii,
)  # fmt: skip
def test_emoji__anything_but_one_of_unicodes_set__is_refused(value: str) -> None:
    assert _refused(text.Emoji, value)


def test_emoji__every_form_of_every_one__is_taken_and_fits_its_bounds() -> None:
    for sequence in emoji.EMOJI_DATA:
        kept = _taken(text.Emoji, sequence)
        assert kept.replace("\ufe0f", "") == sequence.replace("\ufe0f", "")
        assert emoji.is_emoji(kept)


def test_name__of_every_emoji__is_taken() -> None:
    refused = [sequence for sequence in emoji.EMOJI_DATA if _refused(text.Name, sequence)]

    assert refused == []


_ANY = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("aй ي\u200c\u200d\ufe0f\u0301\u094d\u3164👍❤1\u20e3🏴\U000e0067\U000e007f"),
    ),
    max_size=64,
)


@settings(max_examples=200, deadline=None)
@given(_ANY)
def test_line__once_taken__is_taken_again_as_it_is(value: str) -> None:
    if not _refused(text.Title, value):
        kept = _taken(text.Title, value)
        assert _taken(text.Title, kept) == kept == unicodedata.normalize("NFC", kept).strip()
        assert _taken(text.Body, kept) == kept


@pytest.mark.parametrize("piece", [" ", "\u3164", "\u0301", "\u200d", "a\u200d", "👍\u200d", "\U000e0067", "क्\u200d"])
def test_text__of_the_longest_and_worst_kind__is_judged_at_once(piece: str) -> None:
    long = (piece * 8_000)[:8_000]
    began = time.process_time()

    _refused(text.Body, long)
    _refused(text.Title, long[:128])

    assert time.process_time() - began < 0.02
