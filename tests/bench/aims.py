"""The aims beside the figures: met, not met, or not measured in this run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Aim(NamedTuple):
    """One aim.

    Attributes:
        zh: What it is about, Chinese.
        en: The same, English.
        path: Keys that lead to the figure in ``build/bench.json`` or its details.
        bound: The aim.
        most: Whether the figure may be at most, else at least, the bound.
        unit: Of the figure.
    """

    zh: str
    en: str
    path: tuple[str, ...]
    bound: float
    most: bool = False
    unit: str = ""


AIMS = (
    Aim("规范化,对 faust 之比", "Normalise, to faust", ("normalise", "ratio_faust"), 15, unit="×"),
    Aim("规范化,对转发之比", "Normalise, to raw", ("normalise", "ratio_raw"), 0.28, unit="×"),
    Aim("规范化,工作进程", "Normalise, worker", ("normalise", "worker_us"), 14, most=True, unit="µs"),
    Aim("两进程对一进程", "Two processes to one", ("details", "two", "ratio"), 1.35, unit="×"),
    Aim("转介,对 faust 之比", "Refer, to faust", ("refer", "ratio_faust"), 15, unit="×"),
    Aim("转介,每秒", "Refer, per second", ("refer", "events_per_s"), 35_000),
    Aim("转介,工作进程", "Refer, worker", ("refer", "worker_us"), 20, most=True, unit="µs"),
    Aim("转介,数据库", "Refer, database", ("refer", "database_us"), 16, most=True, unit="µs"),
    Aim("如皋,每秒", "Rugao, per second", ("rugao", "events_per_s"), 20_000),
    Aim("事件到收件箱 p99,1,000/s", "Inbox p99, 1,000/s", ("latency", "1000", "p99_ms"), 60, most=True, unit="ms"),
    Aim("事件到收件箱 p99,3,000/s", "Inbox p99, 3,000/s", ("latency", "3000", "p99_ms"), 100, most=True, unit="ms"),
    Aim("来源到收件箱对转发,200/s", "Source to inbox, to raw, 200/s", ("details", "source", "200", "ratio"), 3, most=True, unit="×"),
    Aim("来源到收件箱对转发,1,000/s", "Source to inbox, to raw, 1,000/s", ("details", "source", "1000", "ratio"), 3, most=True, unit="×"),
    Aim("来源到收件箱对转发,3,000/s", "Source to inbox, to raw, 3,000/s", ("details", "source", "3000", "ratio"), 3, most=True, unit="×"),
    Aim("空闲", "Idle", ("idle", "core_percent"), 3, most=True, unit="%"),
    Aim("每秒 20 条", "At 20 per second", ("idle", "core_percent_at_20_per_s"), 5, most=True, unit="%"),
    Aim("20 个页面,CPU", "20 open pages, CPU", ("console", "cpu_ratio"), 1.05, most=True, unit="×"),
    Aim("20 个页面,p99", "20 open pages, p99", ("console", "p99_ratio"), 1.2, most=True, unit="×"),
    Aim("控制台页面 p95", "Console page p95", ("console", "page_p95_ms"), 100, most=True, unit="ms"),
    Aim("全部页面,服务器 p95", "Every page, server p95", ("console", "server_p95_ms"), 100, most=True, unit="ms"),
    Aim("全部页面,首次绘制(5 次中位数)", "Every page, first paint, median", ("console", "first_paint_ms"), 500, most=True, unit="ms"),
    Aim("2,000 分区积压页,每 5 秒", "Lag board, 2,000 partitions, per 5 s", ("console", "sse_kb_per_5s"), 50, most=True, unit="KB"),
    Aim("积压页最长任务", "Lag board, longest task", ("console", "longest_task_ms"), 100, most=True, unit="ms"),
    Aim("采样间隔最长", "Longest gap of pictures", ("console", "sampler_longest_gap_ms"), 5_500, most=True, unit="ms"),
    Aim("1 万到 100 万人", "10 k to 1 M persons", ("growth", "persons"), 1.3, most=True, unit="×"),
    Aim("到 500 万条已见事件", "To 5 M events seen", ("growth", "seen"), 1.3, most=True, unit="×"),
    Aim("10 到 1 万份订阅", "10 to 10,000 subscriptions", ("growth", "subscriptions"), 1.2, most=True, unit="×"),
    Aim("100 万值的名单", "A list of 1 M values", ("growth", "value_list_mb"), 100, most=True, unit="MB"),
)  # fmt: skip


def figure(report: Mapping[str, Any], aim: Aim) -> float | None:
    """The figure an aim is about; None: not measured in this run."""
    found: Any = report
    for key in aim.path:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return float(found)


def met(aim: Aim, found: float) -> bool:
    """Whether a figure meets its aim."""
    return found <= aim.bound if aim.most else found >= aim.bound
