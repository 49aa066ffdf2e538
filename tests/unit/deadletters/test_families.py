from __future__ import annotations

from hub.deadletters.families import Failure, failure_of


def test_kafka_connect_and_the_hub_are_read_together():
    found = failure_of([
        ("__connect.errors.topic", b"in.x"), ("__connect.errors.partition", b"3"),
        ("__connect.errors.offset", b"17"), ("__connect.errors.stage", b"TRANSFORMATION"),
        ("__connect.errors.exception.message", "错".encode()),
        ("hub.dlq.group", b"hub.intake"), ("hub.dlq.id", b"i"), ("hub.dlq.code", b"E-DATE"),
        ("hub.dlq.attempts", b"2"), ("hub.dlq.replay-count", b"1"),
        ("hub.dlq.original-timestamp", b"1743500000000"),
    ])  # fmt: skip
    assert found == Failure(
        "connect", "in.x", 3, 17, "hub.intake", "TRANSFORMATION", "", "错", "", 2,
        1_743_500_000_000, "i", "E-DATE", 1,
    )  # fmt: skip


def test_kafka_streams_is_read():
    found = failure_of([
        ("__streams.errors.exception", b"java.lang.X"), ("__streams.errors.message", b"m"),
        ("__streams.errors.stacktrace", b"at"), ("__streams.errors.topic", b"t"),
        ("__streams.errors.partition", b"0"), ("__streams.errors.offset", b"9"),
    ])  # fmt: skip
    assert found == Failure(
        "streams", "t", 0, 9, exception="java.lang.X", message="m", stacktrace="at"
    )


def test_share_groups_are_read():
    found = failure_of([
        ("__dlq.errors.topic", b"t"), ("__dlq.errors.partition", b"1"),
        ("__dlq.errors.offset", b"2"), ("__dlq.errors.group", b"g"),
        ("__dlq.errors.delivery.count", b"5"), ("__dlq.errors.message", b"m"),
    ])  # fmt: skip
    assert found == Failure("share", "t", 1, 2, "g", message="m", attempts=5)


def test_the_binary_numbers_of_spring_are_read():
    found = failure_of([
        ("kafka_dlt-original-topic", b"t"), ("kafka_dlt-original-partition", b"\0\0\0\x02"),
        ("kafka_dlt-original-offset", (2**40).to_bytes(8, "big")),
        ("kafka_dlt-original-timestamp", (1_743_500_000_000).to_bytes(8, "big")),
        ("kafka_dlt-original-consumer-group", b"g"),
        ("kafka_dlt-exception-fqcn", b"Outer"), ("kafka_dlt-exception-cause-fqcn", b"Inner"),
        ("kafka_dlt-exception-message", b"m"), ("kafka_dlt-exception-stacktrace", b"at"),
        ("retry_topic-attempts", b"\0\0\0\x03"),
    ])  # fmt: skip
    assert found == Failure(
        "spring", "t", 2, 2**40, "g", "", "Inner", "m", "at", 3, 1_743_500_000_000
    )


def test_a_key_that_spring_could_not_read_is_told():
    found = failure_of(
        [("kafka_dlt-key-exception-fqcn", b"K"), ("kafka_dlt-key-exception-message", b"m")]
    )
    assert (found.exception, found.message, found.partition) == ("K", "m", -1)


def test_the_first_of_repeated_headers_counts_and_odd_ones_harm_nobody():
    found = failure_of([
        ("__connect.errors.topic", b"first"), ("__connect.errors.topic", b"second"),
        ("__connect.errors.partition", b"\xff\xfe"), ("__connect.errors.offset", None),
    ])  # fmt: skip
    assert (found.topic, found.partition, found.offset) == ("first", -1, -1)
    assert failure_of([("x", b"y")]) == Failure()
