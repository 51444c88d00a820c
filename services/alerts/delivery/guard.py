"""Where a webhook may go: never into this machine or its network unless it is allowed. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

REFUSED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
        "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
_LAST_32_BITS = (  # where an IPv4 address rides: NAT64, compatible, translated (SIIT)
    IPv6Network("64:ff9b::/96"), IPv6Network("::/96"), IPv6Network("::ffff:0:0:0/96"),
)  # fmt: skip
_SIX_TO_FOUR = IPv6Network("2002::/16")


def reason_to_refuse(address: str, allowed: Sequence[Network]) -> str | None:
    """None when a connection to this address is fine; else why not."""
    try:
        found = ip_address(address.split("%", 1)[0])
    except ValueError:
        return f"{address} is not an IP address"
    faces = [found, *_embedded(found)]
    if any(_within(face, network) for face in faces for network in allowed):
        return None
    for face in faces:
        if any(_within(face, network) for network in REFUSED):
            return f"{address} is not a public address (YIWANG_WEBHOOK_ALLOW_CIDRS can allow it)"
    return None


def reason_to_refuse_url(url: str, allowed: Sequence[Network]) -> str | None:
    """What can be said of a URL before anything is resolved."""
    if any(letter <= " " or letter == "\x7f" for letter in url):
        return "a URL holds neither spaces nor control characters"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"not a URL: {error}"
    if parts.scheme not in ("http", "https"):
        return "only http and https receivers are possible"
    if not parts.hostname:
        return "the URL names no host"
    if parts.username is not None or parts.password is not None:
        return "credentials do not belong into the URL"
    if port == 0:
        return "port 0 is not a port"
    host = parts.hostname.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return reason_to_refuse("127.0.0.1", allowed)
    try:
        literal = str(ip_address(host))
    except ValueError:
        return None  # a name: judged by the address it leads to, at every connection
    return reason_to_refuse(literal, allowed)


def _embedded(address: Address) -> list[Address]:
    """IPv4 addresses that an IPv6 address carries: mapped, NAT64, 6to4, compatible, SIIT."""
    if isinstance(address, IPv4Address):
        return []
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if any(address in network for network in _LAST_32_BITS):
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    if address in _SIX_TO_FOUR:
        return [IPv4Address((int(address) >> 80) & 0xFFFFFFFF)]
    return []


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network
