"""A raw record as the Kafka client gives it."""

from dataclasses import dataclass, field

from hub.contracts.replay_marks import ReplayKey

REPLAYS = ReplayKey(b"replays of the tests")
RECORDED = 1_751_256_000_000  # 2025-06-30T12:00:00+08:00


@dataclass
class Raw:
    value: bytes | None
    topic: str = "in.health.admissions"
    partition: int = 2
    offset: int = 7
    timestamp: int = RECORDED + 1000
    key: bytes | None = b"0123456789abcdef"
    headers: list = field(
        default_factory=lambda: [
            ("ce_id", b"raw"),
            ("ce_recordedtime", b"2025-06-30T12:00:00.000+08:00"),
        ]
    )
