"""The network address that limits count a client by."""

import ipaddress


def client_address(forwarded_for: str | None, peer: str) -> str:
    """Return the address of a client behind the edge, of IPv6 the /64 that one customer has.

    `forwarded_for` is the X-Forwarded-For header, whose last hop the edge has written. The connected peer's address is
    returned when there is no header, and as it is when there is no address in it.
    """
    hop = forwarded_for.rsplit(",", 1)[-1].strip() if forwarded_for else peer
    try:
        address = ipaddress.ip_address(hop)
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)
