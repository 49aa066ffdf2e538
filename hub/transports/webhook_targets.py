"""Where a webhook may go: the name is resolved first, and exactly that address is connected.

A name that resolves to a private address would make the hub a way into its own network, and one
that answers differently the second time (DNS rebinding) would do so after the check. So the
request goes to the checked address, with the receiver's name in Host, SNI and the certificate
check.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from yarl import URL

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Gives the addresses of a host name."""

_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


class TargetRefused(Exception):  # noqa: N818 - the receiver's address is at fault, not the program
    """The address may not be called; trying again is no use."""


class Target(NamedTuple):
    """A checked address.

    Attributes:
        url: With the address in place of the name.
        host: Value of the ``Host`` header.
        name: Name for SNI and the certificate.
    """

    url: URL
    host: str
    name: str


async def target_of(address: str, *, private: bool, resolve: Resolver) -> Target:
    """Resolve and check a receiver's address.

    Args:
        address: ``https://…``; ``http://`` only where private addresses are allowed.
        private: Whether private, loopback and link-local addresses are allowed.
        resolve: Gives the addresses of a host.

    Raises:
        TargetRefused: what is wrong, without the query, which may hold a token.
        OSError: the name cannot be resolved now.
    """
    url = _parsed(address)
    if url.scheme != "https" and not (private and url.scheme == "http"):
        raise TargetRefused("the address must begin with https://")
    name, host = url.raw_host, url.host_port_subcomponent
    if url.user is not None or url.password is not None or not name or not host:
        raise TargetRefused("the address must hold a host and no password")
    port = url.port or (443 if url.scheme == "https" else 80)
    found = await resolve(name, port)
    for text in found:
        if not private and not is_public(text):
            raise TargetRefused("the host has a private, loopback or link-local address")
    if not found:
        raise OSError("the host has no address")
    return Target(url.with_host(found[0]), host, name)


def is_public(text: str) -> bool:
    """Whether an address is one of the open internet, also inside IPv6 forms of IPv4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(one.is_global and not one.is_multicast for one in (address, *_inner(address)))


def _inner(address: Address) -> list[Address]:
    if isinstance(address, IPv4Address):
        return []
    found: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    found += address.teredo or ()
    if any(address in network for network in _NAT64):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


def _parsed(address: str) -> URL:
    try:
        return URL(address)
    except ValueError:
        raise TargetRefused("the address is no URL") from None
