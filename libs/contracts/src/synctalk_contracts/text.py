"""The rules of texts: names, titles, statuses, message bodies, reactions.

A body is kept to the letter. A name, title or status is one line, trimmed and in NFC; it may hold no character that
shows nothing or turns the direction of what follows, unless a script or an emoji needs it: joiners inside Persian,
Arabic and Indic words, variation selectors, the tags of a flag. NUL and lone surrogates are refused everywhere, since
PostgreSQL can't hold them. The character data come with `regex` and `emoji`: Python's own are as old as the Python.
"""

import unicodedata
from typing import Annotated, Final

import emoji
import regex
from pydantic import AfterValidator, Field

MAX_BODY_CHARS = 8_000


def storable(value: str) -> str:
    """Return the text. Raises ValueError when PostgreSQL can't hold it."""
    if "\0" in value:
        raise ValueError("must not contain NUL")
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON's `\ud800` becomes one in Python, and pydantic lets it pass.
        raise ValueError("must not contain lone surrogates") from None
    return value


# Symbols and marks that are blank: braille blank, null notehead, Khitan filler, object replacement.
_BLANKS = r"\u2800\U0001D159\U00016FE4\uFFFC"

_VISIBLE = regex.compile(
    rf"(?V1)[\p{{Prepended_Concatenation_Mark}}[^\p{{Z}}\p{{Cc}}\p{{Cf}}\p{{Cs}}\p{{M}}\p{{DI}}\p{{NChar}}{_BLANKS}]]"
)
_HIDDEN = regex.compile(
    rf"(?V1)[[\p{{C}}\p{{Zl}}\p{{Zp}}\p{{DI}}{_BLANKS}]"
    r"--[\p{Prepended_Concatenation_Mark}[\p{Cn}&&\p{Extended_Pictographic}]]]"
)

_JOINING = r"[[\p{scx=Arab}\p{jt=D}\p{jt=R}\p{jt=L}]&&[\p{L}\p{Nd}]]"
_INDIC = r"[[\P{InSC=Other}&&[\p{L}\p{M}]]--[\p{Thai}\p{Lao}]]"
_NEEDED = regex.compile(
    rf"""(?xV1)
      (?<={_JOINING}\p{{M}}{{0,4}}) [\u200C\u200D] (?={_JOINING})       # Persian, Arabic and others that join
    | (?<=\p{{ccc=9}}) [\u200C\u200D]                                   # after a virama, also at the end of a word
    | (?<={_INDIC}) [\u200C\u200D] (?={_INDIC})
    | (?<=[\p{{Extended_Pictographic}}\p{{EMod}}]\uFE0F?) \u200D (?=\p{{Extended_Pictographic}})
    | (?<=[\p{{Emoji}}--[\#*0-9]]) [\uFE0E\uFE0F]
    | (?<=[\#*0-9]) \uFE0F (?=\u20E3)                                   # keycaps
    | (?<=\p{{Han}}) [\uFE00-\uFE02\U000E0100-\U000E01EF]               # a name's own form of a character
    | (?<=\p{{Mong}}) [\u180B-\u180F]
    | (?<=\U0001F3F4) [\U000E0030-\U000E0039\U000E0061-\U000E007A]{{3,6}} \U000E007F   # England, Scotland, Wales
    """
)

# Pointed Hebrew with cantillation has 5 on a letter, Burmese 6, Tibetan transliteration 7; those of no script, which
# zalgo stacks, have 2 in Vietnamese and Lithuanian, 4 in Arabic recitation.
_STACKED = regex.compile(r"(?V1)[\p{M}&&\p{Zinh}]{5}|\p{M}{9}|(\p{Mn})\1\1")

_LIKE_LATIN = frozenset("аАВсСеЕһНіІјЈКМоОрРѕЅТуУхХԁԛԝΑΒΕΖΗΙΚΜΝοΟΡΤΥΧν")
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_LATIN = regex.compile(r"\p{Latin}")
_LOOKS_LATIN = regex.compile(rf"[\p{{Latin}}\p{{M}}{''.join(_LIKE_LATIN)}]+")


def shows_something(value: str) -> bool:
    """Return whether a body has at least one visible character."""
    return _VISIBLE.search(value) is not None


def _shown(value: str) -> str:
    if not shows_something(value):
        raise ValueError("must contain at least one visible character")
    return value


def _shown_or_nothing(value: str) -> str:
    return _shown(value) if value else value


def _line(value: str) -> str:
    value = _shown(unicodedata.normalize("NFC", value).strip())
    if _HIDDEN.search(_NEEDED.sub("", value)):
        raise ValueError("must not contain control or invisible characters")
    if unicodedata.category(value[0])[0] == "M" or _STACKED.search(value):
        raise ValueError("must not stack combining marks")
    return value


def _line_or_nothing(value: str) -> str:
    return _line(value) if value.strip() else ""


def _honest(value: str) -> str:
    """Refuse a Latin word with Cyrillic or Greek letters that look Latin; other mixtures are somebody's spelling."""
    if any(map(_is_disguised, _WORD.findall(value))):
        raise ValueError("must not mix letters of different scripts")
    return value


def _is_disguised(word: str) -> bool:
    return bool(_LOOKS_LATIN.fullmatch(word) and _LATIN.search(word)) and not _LIKE_LATIN.isdisjoint(word)


_VARIATION: Final = "\ufe0f"
_QUALIFIED = {
    sequence.replace(_VARIATION, ""): sequence
    for sequence, data in emoji.EMOJI_DATA.items()
    if data["status"] <= emoji.STATUS["fully_qualified"]
}


def qualified_emoji(value: str) -> str | None:
    """Return the fully qualified form of one emoji of Unicode's RGI set, None for anything else.

    The presentation selector U+FE0F makes no difference: with and without it, it is the same emoji.
    """
    return _QUALIFIED.get(value.replace(_VARIATION, ""))


def _one_emoji(value: str) -> str:
    qualified = qualified_emoji(value)
    if qualified is None:
        raise ValueError("must be one emoji")
    return qualified


Text = Annotated[str, AfterValidator(storable)]
"""Any text that PostgreSQL can hold; bound it where it is used."""

Body = Annotated[str, Field(min_length=1, max_length=MAX_BODY_CHARS), AfterValidator(storable), AfterValidator(_shown)]
"""A message's text, kept to the letter as it was sent; it shows something."""

BodyOrNothing = Annotated[
    str, Field(max_length=MAX_BODY_CHARS), AfterValidator(storable), AfterValidator(_shown_or_nothing)
]
"""The same, or empty: the text of a message that has files."""

Name = Annotated[
    str,
    Field(min_length=1, max_length=64),
    AfterValidator(_line),
    AfterValidator(_honest),
    Field(min_length=1, max_length=64),
]
"""A display name."""

Title = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_line), Field(min_length=1, max_length=128)]
"""A group's title, a device's name."""

MAX_DESCRIPTION_CHARS = 1_000

Description = Annotated[str, Field(max_length=MAX_DESCRIPTION_CHARS), AfterValidator(storable)]
"""What a group is about, in several lines if need be; empty: nothing."""

Status = Annotated[str, Field(max_length=128), AfterValidator(_line_or_nothing), Field(max_length=128)]
"""A user's status text; white space alone is none."""

Emoji = Annotated[str, Field(min_length=1, max_length=16), AfterValidator(_one_emoji)]
"""One emoji, in its fully qualified form."""


def _https_only(value: str) -> str:
    if not value.startswith("https://") or any(c.isspace() or not c.isprintable() for c in value):
        raise ValueError("must be an https:// URL")
    return value


AVATAR_PATH: Final = "/v1/avatars/"
_UPLOADED = regex.compile(rf"{AVATAR_PATH}[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")


def _https_or_uploaded(value: str) -> str:
    return value if _UPLOADED.fullmatch(value) else _https_only(value)


def _no_path(value: str) -> str:
    if value in (".", "..") or "/" in value or "\\" in value:
        raise ValueError("must be a name without a path")
    return value


FileName = Annotated[
    str,
    Field(min_length=1, max_length=255),
    AfterValidator(storable),
    AfterValidator(_line),
    AfterValidator(_no_path),
    Field(min_length=1, max_length=255),
]
"""The name of a file, without a path."""

PictureUrl = Annotated[str, Field(min_length=9, max_length=2048), AfterValidator(storable), AfterValidator(_https_only)]
"""The address of a user's picture."""

AvatarUrl = Annotated[
    str, Field(min_length=9, max_length=2048), AfterValidator(storable), AfterValidator(_https_or_uploaded)
]
"""The same, or the path of an avatar that was uploaded here."""
