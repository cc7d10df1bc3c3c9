from synctalk_bench.load.cursor import Cursor


def test_saw__in_order__moves_on() -> None:
    cursor = Cursor(4)
    cursor.saw(5)
    cursor.saw(6)
    assert cursor.at == 6


def test_saw__beyond_a_gap__stays_before_it_until_it_is_filled() -> None:
    cursor = Cursor(4)
    cursor.saw(6)
    cursor.saw(7)
    assert cursor.at == 4
    cursor.saw(5)
    assert cursor.at == 7


def test_reached__by_sync__takes_along_what_was_ahead() -> None:
    cursor = Cursor(4)
    cursor.saw(8)
    cursor.saw(3)
    cursor.reached(7)
    assert cursor.at == 8
