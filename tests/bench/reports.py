"""Reports: the figures of a run as Markdown, for a terminal and for docs/PERFORMANCE.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.bench.aims import AIMS, figure, met

BEGIN = "<!-- figures: written by make bench -->"
END = "<!-- end of figures -->"


def markdown(report: Mapping[str, Any]) -> str:
    """Machine, aims and the figures behind them.

    Args:
        report: The keys of ``build/bench.json`` and ``details``.
    """
    details = report["details"]
    parts = [_machine(details)]
    if details["problems"]:
        parts.append("**INVALID · 无效**: " + "; ".join(details["problems"]))
    parts.append(_aims(report))
    for job, programs in details.get("jobs", {}).items():
        parts.append(_job(job, programs))
    latency = _latency(report)
    if latency:
        parts.append(latency)
    parts += _rest(details)
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def replaced(page: str, figures: str) -> str:
    """A page with the figures of this run between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{figures}\n{END}{after}"


def _machine(details: Mapping[str, Any]) -> str:
    found = details["machine"]
    line = ", ".join(f"{name} {value}" for name, value in found.items())
    size = "quick run, sizes too small for the aims" if details["quick"] else "full run"
    return f"Machine: {line}. {size}; {details['rounds']} rounds, {details['seconds']} s."


def _aims(report: Mapping[str, Any]) -> str:
    rows = []
    for aim in AIMS:
        found = figure(report, aim)
        if found is None:
            continue
        sign = "≤" if aim.most else "≥"
        verdict = "met" if met(aim, found) else "**not met**"
        rows.append(
            [f"{aim.zh} · {aim.en}", f"{found:,.6g} {aim.unit}", f"{sign} {aim.bound:,g}", verdict]
        )
    return table(["目标 · Aim", "figure", "aim", ""], rows)


def _job(job: str, programs: Mapping[str, Any]) -> str:
    head = [job, "events", "events/s, by round", "worker µs", "broker µs", "database µs", "MB"]
    rows = [
        [
            name,
            one["events"],
            " ".join(f"{speed:,}" for speed in one["events_per_s"]),
            *(one["us"][place] for place in ("worker", "broker", "database")),
            one["memory_mb"],
        ]
        for name, one in programs.items()
    ]
    return table(head, rows)


def _latency(report: Mapping[str, Any]) -> str:
    found = report.get("latency")
    if not found:
        return ""
    source = report["details"]["source"]
    head = ["events/s", "inbox p50 ms", "p95", "p99", "raw p99", "source p99", "raw two hops p99"]
    rows = [
        [
            rate,
            *(one[name] for name in ("p50_ms", "p95_ms", "p99_ms", "raw_p99_ms")),
            source[rate]["p99_ms"],
            source[rate]["raw_p99_ms"],
        ]
        for rate, one in found.items()
    ]
    return table(head, rows)


def _rest(details: Mapping[str, Any]) -> list[str]:
    found = []
    for name in ("knee", "growth", "idle", "console"):
        if name in details:
            rows = [[key, value] for key, value in details[name].items()]
            found.append(table([name, ""], rows))
    return found
