"""Fragments of a websocket message: joined in order, bounded in count and bytes, refused where they may not come."""

import pytest
from picows import WSCloseCode, WSMsgType
from synctalk_gateway.protocol.fragments import FragmentError, Fragments

TEXT, BINARY, CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION


def test_fragments__of_one_message__are_joined_and_the_next_begins_anew() -> None:
    fragments = Fragments(3, 10)
    for _ in range(2):
        assert fragments.add(TEXT, b"he", fin=False) is None
        assert fragments.add(CONTINUATION, b"ll", fin=False) is None
        assert fragments.add(CONTINUATION, b"o", fin=True) == (TEXT, b"hello")
        assert not fragments.open


def test_fragments__of_a_binary_message__stay_binary() -> None:
    fragments = Fragments(3, 10)
    fragments.add(BINARY, b"a", fin=False)
    assert fragments.add(CONTINUATION, b"", fin=True) == (BINARY, b"a")


@pytest.mark.parametrize("kind", [TEXT, BINARY])
def test_fragment__that_begins_another_message_inside_of_one__is_refused(kind: WSMsgType) -> None:
    fragments = Fragments(3, 10)
    fragments.add(TEXT, b"a", fin=False)
    with pytest.raises(FragmentError) as refused:
        fragments.add(kind, b"b", fin=True)
    assert refused.value.code == WSCloseCode.PROTOCOL_ERROR


def test_continuation__of_nothing__is_refused() -> None:
    with pytest.raises(FragmentError) as refused:
        Fragments(3, 10).add(CONTINUATION, b"a", fin=True)
    assert refused.value.code == WSCloseCode.PROTOCOL_ERROR


@pytest.mark.parametrize("first", [b"", b"a"])
def test_fragment__empty_and_not_the_last__is_refused(first: bytes) -> None:
    fragments = Fragments(3, 10)
    with pytest.raises(FragmentError) as refused:
        fragments.add(TEXT, first, fin=False)
        fragments.add(CONTINUATION, b"", fin=False)
    assert refused.value.code == WSCloseCode.PROTOCOL_ERROR


@pytest.mark.parametrize("payload", [b"a", b"aaaa"])
def test_fragments__too_many_or_too_long__are_refused(payload: bytes) -> None:
    fragments = Fragments(3, 10)
    with pytest.raises(FragmentError) as refused:
        for kind in (TEXT, CONTINUATION, CONTINUATION, CONTINUATION):
            fragments.add(kind, payload, fin=False)
    assert refused.value.code == WSCloseCode.MESSAGE_TOO_BIG
