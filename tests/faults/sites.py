"""Sites: the addresses of one running hub, as the harness writes them to ``site.json``."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where a hub, its broker, its database and its departments are reached.

    Attributes:
        kafka: Bootstrap servers as the hub's processes use them, maybe through a fault proxy.
        kafka_direct: The same brokers without the proxy; what the verifier reads.
        prefix: Before the hub's topic and group names; departments' own topics have none.
        database: DSN of a role that only reads the hub's database, never through the proxy.
        gateway: Address of the gateway.
        keys: ``department:<connector>`` → its API key.
        exchange: DSN of the departments' own tables.
        queues: Connector id or ``connector/item`` → the department's own topic.
        drops: Connector id → drop folder (the one that holds ``inbox/``).
        programs: Receivers.
        schemas: Folder of the published Avro files and ``ids.yaml``.
        partitions: Of ``in.*`` and ``event.*``.
    """

    kafka: str
    database: str
    gateway: str = ""
    kafka_direct: str = ""
    prefix: str = ""
    keys: dict[str, str] = {}
    exchange: str = ""
    queues: dict[str, str] = {}
    drops: dict[str, str] = {}
    programs: list[str] = []
    schemas: str = "schemas"
    partitions: int = 12

    @property
    def direct(self) -> str:
        """Brokers without a proxy between."""
        return self.kafka_direct or self.kafka


def load(path: Path) -> Site:
    """Read ``site.json``."""
    return msgspec.json.decode(path.read_bytes(), type=Site)


def save(site: Site, path: Path) -> None:
    """Write ``site.json``."""
    path.write_bytes(msgspec.json.encode(site))
