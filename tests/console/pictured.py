"""A picture of a city with trouble of every kind, for pages that only show pictures."""

from __future__ import annotations

from hub.monitoring.latencies import Percentiles
from hub.monitoring.pictures import (
    Connector,
    Group,
    Item,
    Letters,
    Partition,
    Picture,
    Program,
    Server,
    Topic,
    Worker,
)

HOUR = 3_600_000


def troubled(now: int) -> Picture:
    """Health is silent, the power company does not receive, one partition is stuck."""
    return Picture(
        7,
        now,
        12,
        partitions=[
            Partition("hub.decide", "event.health", 0, 10, 52, 0, 42, "STALL", 1, 90_000, 45_000),
            Partition("hub.decide", "event.health", 1, 9, 9, 0, 0, "OK", 0, 0, 0),
        ],
        groups=[Group("hub.decide", True, "ERR", 42, 1, 90_000, 2, 1, 0.0, 3.0, None)],  # noqa: FBT003
        topics=[Topic("event.health", 2, 61, 61, 3.0, 42, "STALL")],
        connectors=[
            Connector(
                "health", "RUNNING", now - 2000, False,  # noqa: FBT003
                [Item("admissions", "in.health.admissions", now - 9 * HOUR, 9 * HOUR, 2 * HOUR, True, 61, 0.0)],  # noqa: FBT003
                0, 9 * HOUR,
            ),
            Connector("police", "UNASSIGNED", None, False, [], 0, 0),  # noqa: FBT003
        ],
        programs=[
            Program("electricity-relief", "webhook", 1, 50, 14, 0, 36, 0, 0, now - 16 * HOUR, 9, now + HOUR, True, 0.0, "bad"),  # noqa: FBT003
            Program("medical-aid", "kafka", 1, 5, 5, 0, 0, 0, 0, None, 0, 0, True, 0.1, "good"),  # noqa: FBT003
        ],
        letters=[Letters("E-DATE", "education", 40, now - HOUR, now)],
        workers=[Worker("host:1:a", "0", 2, 2, now)],
        server=Server(1, True, 0, 0, True, 9, 100, 50, 0, 10**8, None, 0, None),  # noqa: FBT003
        stages={"received": 1.0, "canonical": 3.0, "decided": 0.0, "delivered": 0.1},
        totals={"received": 61, "canonical": 61, "decided": 19, "delivered": 19},
        hops={"delivered": Percentiles(19, 120.0, 300.0, 420.0)},
        burn=0.4,
    )  # fmt: skip
