"""The checker must see every kind of fault, and no fault where there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synctalk_bench.load.ledger import Ledger


def ledger(start: int, *received: int) -> Ledger:
    made = Ledger(start)
    for seq in received:
        made.received(seq)
    return made


def test_missing__all_received__nothing() -> None:
    assert ledger(4, 5, 6, 7).missing(7) == 0


@pytest.mark.parametrize(("received", "last_seq", "lost"), [((5, 7), 7, 1), ((5,), 7, 2), ((), 6, 2), ((8,), 8, 3)])
def test_missing__messages_that_never_came__are_counted(received: tuple[int, ...], last_seq: int, lost: int) -> None:
    assert ledger(4, *received).missing(last_seq) == lost


def test_missing__its_own_messages__are_known_by_their_acks() -> None:
    made = ledger(0, 1, 3)
    made.acked(4)
    made.acked(2)
    assert made.missing(4) == 0
    assert made.claimed_twice() == 0


def test_received__the_same_twice__is_doubled() -> None:
    assert ledger(0, 1, 2, 2).doubled == 1


def test_received__from_before_the_start__is_doubled() -> None:
    assert ledger(5, 3).doubled == 1


def test_received__later_than_its_successor__is_out_of_order_and_not_lost() -> None:
    made = ledger(0, 1, 3, 2)
    assert made.disordered == 1
    assert made.doubled == 0
    assert made.missing(3) == 0


def test_claimed_twice__an_acked_number_that_somebody_else_had__is_seen() -> None:
    made = ledger(0, 1, 2)
    made.acked(2)
    assert made.claimed_twice() == 1


def test_synced__what_live_delivery_left_out__is_no_longer_missing() -> None:
    made = ledger(0, 1)
    for seq in (1, 2, 3):
        made.synced(seq)
    assert made.missing(3) == 0


def test_received__live_after_sync_brought_it__changes_nothing() -> None:
    made = ledger(0, 1)
    made.synced(2)
    made.received(2)
    made.received(3)
    assert (made.doubled, made.disordered, made.missing(3)) == (0, 0, 0)


@given(own=st.sets(st.integers(1, 30)), acks_first=st.booleans())
def test_missing__any_mix_of_own_and_others__is_whole(own: set[int], acks_first: bool) -> None:
    made = Ledger(0)
    for seq in range(1, 31):
        if seq in own and acks_first:
            made.acked(seq)
        elif seq not in own:
            made.received(seq)
    for seq in own:
        made.acked(seq)
    assert (made.missing(30), made.doubled, made.disordered, made.claimed_twice()) == (0, 0, 0, 0)
