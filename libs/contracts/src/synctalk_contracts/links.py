"""The links of a message's text of which previews are made: api and notifier must find the same ones.

What a client shows as a link is one: `https://…`, `http://…` or `www.…`, not in code (inline or fenced), without the
punctuation of the sentence around it. A text is looked through once, whatever it says.
"""

from urllib.parse import urlsplit

import regex

MAX_LINKS = 3
"""Of one message, as they come; further ones get no preview."""
MAX_LINK_CHARS = 2_048

_CODE = regex.compile(r"```.+?```|`[^`\n]++`", regex.DOTALL)
_LINK = regex.compile(
    r"(?<![A-Za-z0-9_])(?:https?://|www\.)[^\s<>\"。，、；：！？「」『』（）《》【】]++", regex.IGNORECASE
)
_TRAILING = ".,:;!?'*”’“‘"
_CLOSING = {")": "(", "]": "[", "}": "{"}


def links_of(body: str) -> list[str]:
    """Return the first links, each once, as URLs: `www.example.org` is `https://www.example.org`."""
    found: dict[str, None] = {}
    if "://" not in body and "www." not in body.lower():
        return []
    for match in _LINK.finditer(_CODE.sub(" ", body)):
        url = _url(match[0])
        if url is not None:
            found[url] = None
        if len(found) == MAX_LINKS:
            break
    return list(found)


def _url(text: str) -> str | None:
    text = _without_sentence(text[: MAX_LINK_CHARS + 1])
    if text[:4].lower() == "www.":
        text = f"https://{text}"
    if len(text) > MAX_LINK_CHARS:
        return None
    try:
        return text if urlsplit(text).hostname else None
    except ValueError:
        return None


def _without_sentence(text: str) -> str:
    """A closing bracket belongs to the link that opened it: https://en.wikipedia.org/wiki/Talk_(film)"""
    opened = dict.fromkeys(_CLOSING.values(), 0)
    end = len(text)
    for n, character in enumerate(text):
        if character in opened:
            opened[character] += 1
        elif character in _CLOSING:
            if not opened[_CLOSING[character]]:
                end = n
                break
            opened[_CLOSING[character]] -= 1
    return text[:end].rstrip(_TRAILING)
