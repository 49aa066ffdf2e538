"""Ports: free local ones, outside the range that outgoing connections are given.

A client that tries again and again to reach a dead port *inside* that range can be given the
very port as its own, connect to itself, and keep the broker from coming back.
"""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

HOST = "127.0.0.1"
_RANGE = range(20000, 32000)


def _held(stack: ExitStack, port: int) -> bool:
    held = stack.enter_context(socket.socket())
    # A port whose last connections are only waiting to be forgotten can be had again.
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((HOST, port))
        held.listen(1)
    except OSError:
        return False
    return True


def all_free(ports: list[int]) -> bool:
    """Whether every one of these ports can be bound now."""
    with ExitStack() as stack:
        return all(_held(stack, port) for port in ports)


def free_ports(count: int) -> list[int]:
    """Distinct free ports; all are held until the last one is known, then let go.

    Another process may still take one before it is used: the caller must be ready to ask again.
    """
    found: list[int] = []
    with ExitStack() as stack:
        for port in random.sample(_RANGE, len(_RANGE)):
            if len(found) == count:
                break
            if _held(stack, port):
                found.append(port)
    return found
