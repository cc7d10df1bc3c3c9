import pytest
from synctalk_local.ports import MAX_PROCESSES, ports_for

EPHEMERAL_FROM = 32_768
MOST = {"api": MAX_PROCESSES, "gateway": MAX_PROCESSES}


def test_ports_for__same_edge__is_the_same() -> None:
    assert ports_for(8080) == ports_for(8080)


@pytest.mark.parametrize("edge", [1, 80, 443, 8080, 8081, 65_535])
def test_ports_for__any_edge__inner_ones_are_apart_and_below_the_ephemeral(edge: int) -> None:
    _, *inner = ports_for(edge, MOST).all()

    assert len(set(inner)) == len(inner)
    assert all(20_000 <= port < min(24_000, EPHEMERAL_FROM) for port in inner)


def test_ports_for__neighbouring_edges__share_none() -> None:
    assert not set(ports_for(8080, MOST).all()) & set(ports_for(8081, MOST).all())
