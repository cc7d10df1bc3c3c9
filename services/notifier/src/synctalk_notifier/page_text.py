"""What a page says of itself, as pure functions: its Open Graph or Twitter card, else its title and description.

All of it is text of an unknown author: what shows nothing is dropped, lengths are cut. Only the tags of the head that
matter are parsed, by selectolax: of a whole page it builds a tree, for which 100,000 nested elements take it a minute.
"""

import unicodedata
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

import regex
import webencodings
from selectolax.lexbor import LexborHTMLParser
from synctalk_runtime.outbound import MAX_URL_CHARS, Outbound

from synctalk_notifier.clients.web_pages import Page
from synctalk_notifier.store.pages import PageText

MAX_TITLE_CHARS = 200
MAX_DESCRIPTION_CHARS = 400
MAX_TAGS = 500
SNIFFED_BYTES = 1_024
"""Where a page may say its charset, as browsers have it."""

TITLES = ("og:title", "twitter:title")
DESCRIPTIONS = ("og:description", "twitter:description", "description")
IMAGES = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")

_META_CHARSET = regex.compile(rb"<meta[^>]{0,512}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", regex.IGNORECASE)
_HIDDEN = regex.compile(r"(?V1)[[\p{C}\p{Zl}\p{Zp}]--[\s\u200c\u200d]]")
_PUBLIC = Outbound()


_TAG = regex.compile(r"<(!--|[a-z][a-z0-9]{0,15})", regex.IGNORECASE)
_REST = regex.compile(r"(?:[^\"'>]++|\"[^\"]*+\"|'[^']*+')*+>")
_HEAD = frozenset({"html", "head", "meta", "link", "base"})
_ENDS = {"!--": regex.compile("-->")} | {
    name: regex.compile(rf"</{name}[^>]{{0,100}}>", regex.IGNORECASE)
    for name in ("title", "script", "style", "noscript", "template")
}


def text_of(page: Page) -> PageText | None:
    """Return what the page says; None: nothing that would be shown."""
    tree = LexborHTMLParser(head_of(decoded(page.html, page.charset)))
    metas = _metas(tree)
    title = _first(metas, TITLES, MAX_TITLE_CHARS) or _title(tree)
    if not title:
        return None
    return PageText(title, _first(metas, DESCRIPTIONS, MAX_DESCRIPTION_CHARS), _image(metas, page.url))


def head_of(html: str) -> str:
    """Return the head's titles and metas, as they are written there. Each character is looked at once or twice."""
    kept: list[str] = []
    at = 0
    while len(kept) < MAX_TAGS and (tag := _TAG.search(html, at)) is not None:
        name = tag[1].lower()
        end = _ENDS[name].search(html, tag.end()) if name in _ENDS else _REST.match(html, tag.end())
        if end is None or (name not in _HEAD and name not in _ENDS):  # the body begins, or the page is cut off
            break
        at = end.end()
        if name in ("title", "meta"):
            kept.append(html[tag.start() : at])
    return "".join(kept)


def decoded(html: bytes, charset: str | None) -> str:
    """Return the text as a browser reads it: by its mark, its server's word, its own; else UTF-8, or Windows-1252."""
    sniffed = _META_CHARSET.search(html[:SNIFFED_BYTES])
    for label in (charset, sniffed[1].decode() if sniffed else None):
        encoding = webencodings.lookup(label) if label else None
        if encoding is not None:
            return webencodings.decode(html, encoding, errors="replace")[0]
    try:
        return webencodings.decode(html, "utf-8", errors="strict")[0]
    except UnicodeDecodeError as error:
        # What was cut within a character is UTF-8 all the same.
        is_cut = len(html) - error.start < 4
        return webencodings.decode(html, "utf-8" if is_cut else "windows-1252", errors="replace")[0]


def _metas(tree: LexborHTMLParser) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for meta in tree.css("meta"):
        given = meta.attributes
        name = (given.get("property") or given.get("name") or "").strip().lower()
        content = given.get("content")
        if name and content:
            found.setdefault(name, content)
    return found


def _title(tree: LexborHTMLParser) -> str:
    title = tree.css_first("title")
    return "" if title is None else _line(title.text(), MAX_TITLE_CHARS)


def _first(metas: Mapping[str, str], names: tuple[str, ...], most: int) -> str:
    """Return the first of these that says something, else an empty text."""
    return next((line for name in names if (line := _line(metas.get(name, ""), most))), "")


def _line(text: str, most: int) -> str:
    """Return it as one line of so many characters, without what shows nothing or turns the direction of the rest."""
    line = " ".join(_HIDDEN.sub("", unicodedata.normalize("NFC", text[: most * 8])).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _image(metas: Mapping[str, str], page_url: str) -> str | None:
    for name in IMAGES:
        given = metas.get(name, "").strip()
        if given and (url := _public_https(page_url, given)):
            return url
    return None


def _public_https(base: str, given: str) -> str | None:
    """Return the picture's address where it is https at a name or a public address, as far as the text shows."""
    try:
        url = urljoin(base, given)
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or not host or "@" in parts.netloc or len(url) > MAX_URL_CHARS or port == 0:
        return None
    if not url.isascii() or any(c.isspace() or not c.isprintable() or c in "\\\"'<>" for c in url):
        return None
    return url if _is_public(host) else None


def _is_public(host: str) -> bool:
    """Return whether a host is a public address, or a name that may be of one."""
    try:
        ip_address(host)
    except ValueError:
        # A last label of digits is an address in one of its old forms: 127.1, 0x7f000001, 2130706433.
        last = host.rstrip(".").rpartition(".")[2]
        is_number = last.isdigit() or last.lower().startswith("0x")
        return "." in host.strip(".") and not is_number and last not in ("localhost", "local", "internal")
    return _PUBLIC.permits(host)
