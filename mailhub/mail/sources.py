"""Who counts as one source of what comes in: what one address, or one customer of a provider, may do is counted by it.

Pure work on the words of an address; nothing is looked up.
"""

from ipaddress import IPv6Address, ip_address


def source_of(ip: str) -> str:
    """Who counts as one: an IPv4 address, or the /64 that one IPv6 customer is given whole (RFC 6177)."""
    if ":" not in ip or ip == "::1":
        return ip
    try:
        address = ip_address(ip.partition("%")[0])  # a link-local address may name its interface
    except ValueError:
        return ip
    if not isinstance(address, IPv6Address) or address.ipv4_mapped:
        return str(getattr(address, "ipv4_mapped", address))
    return str(IPv6Address(int(address) >> 64 << 64))
