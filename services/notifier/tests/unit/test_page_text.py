"""What pages say of themselves, whatever they are."""

from time import perf_counter

import pytest
from synctalk_notifier import page_text
from synctalk_notifier.clients.web_pages import Page
from synctalk_notifier.page_text import MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS
from synctalk_notifier.store.pages import PageText

URL = "https://example.org/path/page.html"


def text_of(html: str | bytes, charset: str | None = "utf-8", url: str = URL) -> PageText | None:
    return page_text.text_of(Page(url, charset, html.encode() if isinstance(html, str) else html))


def title_of(html: str | bytes, charset: str | None = "utf-8") -> str:
    found = text_of(html, charset)
    return "" if found is None else found.title


def image_of(address: str) -> str | None:
    found = text_of(f'<title>x</title><meta property="og:image" content="{address}">')
    assert found is not None
    return found.image_url


def test_open_graph__comes_before_all_else() -> None:
    found = text_of(
        """<html><head><title>The title</title>
        <meta name="description" content="A description">
        <meta name="twitter:title" content="Of the card">
        <meta property="og:title" content=" Of the
           graph "><meta property="og:title" content="A second one">
        <meta property="OG:description" content="What it &amp; you say">
        <meta property="og:image" content="/picture.png"></head>"""
    )
    assert found == PageText("Of the graph", "What it & you say", "https://example.org/picture.png")


def test_card__comes_before_title_and_description() -> None:
    found = text_of(
        """<title>The title</title><meta name="description" content="A description">
        <meta name="twitter:title" content="Of the card"><meta property="og:title" content="  ">"""
    )
    assert found == PageText("Of the card", "A description", None)


def test_title__alone__is_enough_and_without_one_there_is_nothing() -> None:
    assert text_of("<title>The title</title>") == PageText("The title", "", None)
    for html in ("", "<p>Text</p>", "<title> \u200b\u2063 </title>", '<meta name="description" content="No title">'):
        assert text_of(html) is None


def test_markup_and_script__are_text_or_nothing() -> None:
    assert title_of("<title><b>bold</b> &lt;script&gt;alert(1)&lt;/script&gt;</title>") == (
        "<b>bold</b> <script>alert(1)</script>"
    )
    script = "<script>document.title = 'run'; '<title>not it</title>'</script><!-- <title>nor it</title> -->"
    assert title_of(f"{script}<title>it</title>") == "it"
    assert text_of('<meta property="og:title" content="&#0;&#xd800;a&#x202e;b">') == PageText(
        "\ufffd\ufffdab", "", None
    )


def test_head__in_disorder__is_read_up_to_the_body() -> None:
    found = text_of(
        """<!DOCTYPE html><!-- <body> --><HTML lang="a>b"><head prefix='og: "x">'><link rel=a href="/<div>">
        <style>a > b { content: "<div>" }</style><noscript><div><img></div></noscript><script>"<p>"</script >
        <META content="a > b < c" property="og:description" /><title lang=de>It</title><div>
        <meta property="og:title" content="Too late">"""
    )
    assert found == PageText("It", "a > b < c", None)


def test_lengths__are_cut() -> None:
    found = text_of(f'<title>{"é" * 500}</title><meta name="description" content="{"long " * 500}">')
    assert found is not None
    assert found.title == "é" * (MAX_TITLE_CHARS - 1) + "…"
    assert len(found.description) <= MAX_DESCRIPTION_CHARS


@pytest.mark.parametrize(
    ("html", "charset"),
    [
        ("<title>Grüße</title>".encode("latin-1"), "iso-8859-1"),
        ("<title>Grüße</title>".encode("latin-1"), None),
        ("<title>Grüße</title>".encode(), None),
        ("<title>Grüße</title>".encode(), "no-such-charset"),
        ("<title>Grüße</title>".encode(), "zlib"),
        (b"<meta charset=windows-1252>" + "<title>Grüße</title>".encode("cp1252"), None),
        (b'<meta http-equiv=content-type content="text/html; charset=iso-8859-1"><title>Gr\xfc\xdfe</title>', None),
        (b"\xef\xbb\xbf" + "<title>Grüße</title>".encode(), "iso-8859-1"),
        ("<title>Grüße</title>".encode("utf-16"), "utf-16"),
        ("<title>Grüße</title><p>ü".encode()[:-1], None),
    ],
)
def test_charset__said_wrongly_or_not_at_all__is_read_as_browsers_do(html: bytes, charset: str | None) -> None:
    assert title_of(html, charset) == "Grüße"


def test_charset__that_is_wrong__breaks_no_more_than_the_text() -> None:
    assert title_of("<title>Grüße 你</title>".encode(), "shift_jis")
    assert title_of(b"<title>\xff\xfe\x00\x80</title>", "utf-8") == "\ufffd\ufffd\ufffd\ufffd"


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a.png",
        "//cdn.example.org/a.png",
        "../a.png",
        "https://1.1.1.1/a.png",
        "https://[2606:4700::1]/a",
    ],
)
def test_picture__at_a_public_place__is_named(address: str) -> None:
    assert (image_of(address) or "").startswith("https://")


@pytest.mark.parametrize(
    "address",
    [
        *("http://example.org/a.png", "data:image/png;base64,AAAA", "javascript:alert(1)", "file:///etc/passwd"),
        *("https://127.0.0.1/a", "https://10.0.0.1/a", "https://169.254.169.254/latest/meta-data", "https://[::1]/a"),
        *("https://[::ffff:10.0.0.1]/a", "https://2130706433/a", "https://0x7f000001/a", "https://127.1/a"),
        *("https://0177.0.0.1/a", "https://localhost/a", "https://metadata/a", "https://printer.local/a"),
        *("https://user@example.org/a", "https://example.org:0/a", "https://example.org/a b", "https://[x/a", ""),
        "https://example.org/" + "a" * 2048,
    ],
)
def test_picture__elsewhere__is_none(address: str) -> None:
    assert image_of(address) is None


@pytest.mark.parametrize(
    "html",
    [
        "<meta property=og:image content=x>" * 15_000,
        "<" * 500_000,
        "<!--" * 100_000,
        "<div>" * 100_000,
        "<title>" * 70_000,
        "<meta '" * 70_000,
        '<meta content="<title>" ' * 20_000,
        "<noscript>" * 50_000,
        "<template></template>" * 20_000,
    ],
)
def test_page__made_to_be_slow__is_not(html: str) -> None:
    start = perf_counter()
    text_of(html)
    assert perf_counter() - start < 1
