"""Addresses as limits count them."""

import pytest
from synctalk_runtime.addresses import client_address


@pytest.mark.parametrize(
    ("forwarded_for", "peer", "counted"),
    [
        ("198.51.100.7", "10.0.0.1", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.7", "10.0.0.1", "198.51.100.7"),
        ("6.6.6.6,198.51.100.7", "10.0.0.1", "198.51.100.7"),
        (None, "10.0.0.1", "10.0.0.1"),
        ("", "10.0.0.1", "10.0.0.1"),
        ("nonsense" * 1_000, "10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "10.0.0.1", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "10.0.0.1", "198.51.100.7"),
        (None, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (None, "", ""),
    ],
)
def test_client_address__is_the_last_hop_as_limits_count_it(forwarded_for: str | None, peer: str, counted: str) -> None:
    assert client_address(forwarded_for, peer) == counted
