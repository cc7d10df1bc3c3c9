"""Split texts into the terms by which they are searched, without regard to case, accents and composition.

A unit is a run of letters, a number, an emoji, or one character of a script that is written without spaces. So words in
addresses, hyphenated and numbered words are found by any of their parts. A unit is a term; in a script without spaces a
term is a unit and the next one, which finds any part of the text. Terms keep their positions: what is one word to the
user, `PLT-3699`, is searched for as a phrase.
"""

import html
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice, pairwise, takewhile
from typing import NamedTuple

import regex

MAX_UNITS = 16_000
"""A position of a tsvector ends at 16,383."""
MAX_TERM_CHARS = 48
MAX_QUERY_TERMS = 32

PLACE = "\x01"
"""Stands before each term of a vector or a query; the store replaces it with the place that is searched."""

_UNSPACED = r"[[\p{Han}\p{Hira}\p{Kana}\p{Bopo}\p{Hang}\p{Thai}\p{Laoo}\p{Khmr}\p{Mymr}\p{Tibt}\u30FC]&&\p{L}]"
_UNIT = regex.compile(
    rf"""(?xV1)
      (?P<emoji> \p{{RI}}{{2}} | [0-9\#*]\uFE0F?\u20E3
      | [[\p{{Extended_Pictographic}}\p{{EMod}}]--[\u00A9\u00AE]] [\p{{EMod}}\uFE0E\uFE0F]* [\U000E0020-\U000E007F]*
        (?: \u200D \p{{Extended_Pictographic}} [\p{{EMod}}\uFE0E\uFE0F]* )* )
    | (?P<unspaced> {_UNSPACED} [\p{{M}}\uFF9E\uFF9F]*+ )
    | [\p{{L}}--{_UNSPACED}] [[\p{{L}}--{_UNSPACED}]\p{{M}}]*+
    | \p{{N}} [\p{{N}}\p{{M}}]*+
    """
)
_CLUSTER = regex.compile(r"\X")
_PLAIN_UNIT = regex.compile("[A-Za-z]++|[0-9]++")
_ACCENTS = regex.compile(r"(?V1)[[[\p{Zinh}\p{Latin}\p{Greek}\p{Cyrl}\p{Hebr}\p{Arab}]&&\p{M}]--[\u3099\u309A]]")
_DRESS = regex.compile(r"[\uFE0E\uFE0F\p{EMod}]")
_NO_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_STROKES = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
    | {"ي": "ی", "ى": "ی", "ك": "ک", "\u0640": None}
)


def fold(text: str) -> str:
    """Return the text without regard to case, accents and composition."""
    if text.isascii():
        return text.lower()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", bare).translate(_STROKES)


class Unit(NamedTuple):
    text: str
    start: int
    end: int
    unspaced: bool


def units(text: str) -> Iterator[Unit]:
    """Yield the units of a text in NFC, folded, with their positions."""
    if text.isascii():
        for match in _PLAIN_UNIT.finditer(text):
            yield Unit(match[0].lower(), match.start(), match.end(), False)
        return
    for match in _UNIT.finditer(text):
        kind = match.lastgroup
        unit = _DRESS.sub("", match[0]) if kind == "emoji" else _NO_WORD.sub("", _folded_unit(match[0]))
        if unit:
            yield Unit(unit, match.start(), match.end(), kind == "unspaced")


_folded_unit = lru_cache(maxsize=16_384)(fold)


class Term(NamedTuple):
    text: str
    position: int
    start: int
    unit_end: int
    end: int
    open: bool
    """It is the last of a run without spaces, so a longer term may begin with it."""


def terms(text: str) -> Iterator[Term]:
    """Yield the terms of a text in NFC, by position."""
    found = units(text)
    unit = next(found, None)
    position = 0
    while unit is not None and position < MAX_UNITS:
        position += 1
        following = next(found, None)
        if not unit.unspaced:
            yield Term(unit.text[:MAX_TERM_CHARS], position, unit.start, unit.end, unit.end, False)
        elif following is not None and following.unspaced and following.start == unit.end:
            yield Term(unit.text + following.text, position, unit.start, unit.end, following.end, False)
        else:
            yield Term(unit.text, position, unit.start, unit.end, unit.end, True)
        unit = following


def vector(body: str, tags: Iterable[str] = ()) -> str:
    """Return the terms of a message, and its tags, as the text of a tsvector, each after PLACE."""
    return " ".join([_vector(body), *(PLACE + tag for tag in tags)]).lstrip()


def _vector(body: str) -> str:
    if body.isascii():  # 3 µs for a message of a dozen words, the long way 30
        plain = enumerate(_PLAIN_UNIT.findall(body.lower()), 1)
        return " ".join([f"{PLACE}{unit[:MAX_TERM_CHARS]}:{position}" for position, unit in plain])
    return " ".join(f"{PLACE}{term.text}:{term.position}" for term in terms(unicodedata.normalize("NFC", body)))


def title_vector(title: str) -> str:
    """Return the terms of a title as the text of a tsvector."""
    return vector(title).replace(PLACE, "")


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed search: words and quoted phrases that must all occur, and those after a minus, which must not."""

    tsquery: str
    """The text of a tsquery, each term after PLACE."""
    exact: frozenset[str]
    prefixes: tuple[str, ...]
    excludes_only: bool
    """It has only what must not occur, so that it says nothing of where to look."""

    def reach(self, term: Term) -> int:
        """Return where the part of the term that matches ends; 0 when it does not match."""
        if term.text in self.exact or term.text in self.prefixes:
            return term.end
        return term.unit_end if term.text.startswith(self.prefixes) else 0


_GROUP = regex.compile(r"""(?<minus>(?<!\S)-)?(?:"(?<quoted>[^"]*+)"?|(?<word>[^\s"]++))""")


def query(text: str) -> Query | None:
    """Parse a search; None when there is nothing to search for, or too much.

    The last word may go on: it is a prefix, unless it is quoted or excluded.
    """
    groups = [group for group in map(_Group.of, _GROUP.finditer(unicodedata.normalize("NFC", text))) if group.terms]
    wanted = [group for group in groups if not group.excluded]
    if not groups or sum(len(group.terms) for group in groups) > MAX_QUERY_TERMS:
        return None
    last = groups[-1]
    if not (last.excluded or last.quoted):
        last.terms[-1] = last.terms[-1]._replace(open=True)
    found = [term for group in wanted for term in group.terms]
    return Query(
        tsquery=" & ".join(map(str, groups)),
        exact=frozenset(term.text for term in found if not term.open),
        prefixes=tuple(term.text for term in found if term.open),
        excludes_only=not wanted,
    )


@dataclass(frozen=True, slots=True)
class _Group:
    terms: list[Term]
    quoted: bool
    excluded: bool

    @classmethod
    def of(cls, match: "regex.Match[str]") -> "_Group":
        quoted = match["quoted"]
        found = list(islice(terms(match["word"] if quoted is None else quoted), MAX_QUERY_TERMS + 1))
        # Two characters of a script without spaces are one term; the second's own is of a text that ends there.
        joined = [t for before, t in pairwise([None, *found]) if t and not (t.open and before and before.end == t.end)]
        return cls(joined, quoted is not None, match["minus"] is not None)

    def __str__(self) -> str:
        """Return the phrase of its terms with their distances, as part of a tsquery."""
        first, *rest = self.terms
        parts = [_term(first)]
        for before, term in pairwise([first, *rest]):
            parts.append(f"<{term.position - before.position}> {_term(term)}")
        return f"{'!' if self.excluded else ''}({' '.join(parts)})"


def _term(term: Term) -> str:
    return f"{PLACE}{term.text}{':*' if term.open else ''}"


SNIPPET_CHARS = 240
LEAD_CHARS = 60


def highlighted(body: str, wanted: Query | None) -> str:
    """Return the part of a body that matches, as HTML with all of the text escaped and hits in `<mark>`."""
    text = unicodedata.normalize("NFC", body)
    found = iter(()) if wanted is None else _spans(text, wanted)
    first = next(found, (0, 0))
    begin = 0 if first[1] <= SNIPPET_CHARS else _word_before(text, first[0])
    end = begin + SNIPPET_CHARS
    pieces, at = [], begin
    for start, stop in chain([first], takewhile(lambda span: span[0] < end, found)):
        pieces += [html.escape(text[at:start]), "<mark>", html.escape(text[start:stop]), "</mark>"] if stop else []
        at = max(at, stop)
    return "".join([*pieces, html.escape(text[at:end])])


MAX_RANGES = 100


def ranges(body: str, wanted: Query) -> list[list[int]]:
    """Return where the first spans of a body that match begin and end, in its code points as it is stored."""
    text = unicodedata.normalize("NFC", body)
    found = islice(_spans(text, wanted), MAX_RANGES)
    if text == body:
        return [[start, end] for start, end in found]
    starts, ends = _places_in(body)
    return [[starts[start], ends[end - 1]] for start, end in found]


def _places_in(body: str) -> tuple[list[int], list[int]]:
    """Return for each character of the body in NFC where the cluster that it belongs to begins and ends in the body."""
    starts: list[int] = []
    ends: list[int] = []
    for cluster in _CLUSTER.finditer(body):
        size = len(unicodedata.normalize("NFC", cluster[0]))
        starts += [cluster.start()] * size
        ends += [cluster.end()] * size
    return starts, ends


def _spans(text: str, wanted: Query) -> Iterator[tuple[int, int]]:
    """Yield the spans of the text to be marked; those that touch are one."""
    begin, end = 0, 0
    for term in terms(text):
        if not (reach := wanted.reach(term)):
            continue
        if end and term.start > end:
            yield begin, end
        begin, end = (begin if end and term.start <= end else term.start), max(end, reach)
    if end:
        yield begin, end


def _word_before(text: str, at: int) -> int:
    """Return where a word begins some characters before, to show a hit with its context."""
    lead = text[at - LEAD_CHARS : at]
    return at - len(lead) + lead.find(" ") + 1
