"""Histories: which figures of a picture are kept over time, by key."""

from __future__ import annotations

from hub.monitoring.pictures import Picture


def points(picture: Picture) -> dict[str, float | None]:
    """Key → value of this picture; per group, topic, connector and program, never per partition."""
    found: dict[str, float | None] = {}
    for group in picture.groups:
        found[f"lag/{group.group}"] = group.lag
        found[f"late/{group.group}"] = group.late
        found[f"consumed/{group.group}"] = group.consumed
    lags: dict[str, float] = {}
    for one in picture.partitions:
        key = f"lag/{one.group}/{one.topic}"
        lags[key] = lags.get(key, 0) + one.lag
    found |= lags
    for topic in picture.topics:
        found[f"rate/{topic.topic}"] = topic.rate
    for program in picture.programs:
        before = program.queued + program.waiting + program.unfetched
        found[f"before/{program.program}"] = before
        found[f"delivered/{program.program}"] = program.rate
    for stage, rate in picture.stages.items():
        found[f"stage/{stage}"] = rate
    for hop, figures in picture.hops.items():
        found[f"p50/{hop}"], found[f"p95/{hop}"] = figures.p50, figures.p95
        found[f"p99/{hop}"] = figures.p99
    found["letters"] = sum(one.count for one in picture.letters)
    found["overdue"] = picture.overdue
    return found
