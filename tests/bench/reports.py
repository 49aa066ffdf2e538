"""Reports: the figures of a run as Markdown, for a terminal and for docs/PERFORMANCE.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.bench.aims import AIMS, figure, met

ABOUT = ("machine", "quick", "rounds", "seconds", "problems")
"""Details about the run itself."""
BEGIN = "<!-- figures: written by make bench -->"
END = "<!-- end of figures -->"
PAGES_BEGIN = "<!-- figures of pages: written by make bench -->"
_PAGES = frozenset({"pages", "by_page"})
"""Details of the part that has a section of its own, as it is often run alone."""


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


def replaced(page: str, figures: str, begin: str = BEGIN) -> str:
    """A page with the figures of this run between two of its marks."""
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(END)
    return f"{before}{begin}\n\n{figures}\n{END}{after}"


def written(page: str, report: Mapping[str, Any]) -> str:
    """A page with the figures of this run in each section that it measured."""
    details = report["details"]
    own = {name: details[name] for name in _PAGES & details.keys()}
    about = {name: details[name] for name in ABOUT}
    if own:
        console = {k: v for k, v in report["console"].items() if k in own["pages"]}
        page = replaced(page, markdown({"console": console, "details": own | about}), PAGES_BEGIN)
    others = {name: one for name, one in details.items() if name not in own}
    rest = {name: one for name, one in report.items() if name != "details"}
    if own and "console" in rest:
        rest["console"] = {k: v for k, v in rest["console"].items() if k not in own["pages"]}
    if others.keys() - set(ABOUT) - {"jobs"} or others.get("jobs"):
        page = replaced(page, markdown({**rest, "details": others}))
    return page


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
    for name in ("knee", "growth", "idle", "console", "pages"):
        if name in details:
            rows = [[key, value] for key, value in details[name].items()]
            found.append(table([name, ""], rows))
    if "by_page" in details:
        found.append(_pages(details["by_page"]))
    return found


def _pages(found: Mapping[str, Mapping[str, float]]) -> str:
    names = ("server_p50_ms", "server_p95_ms", "first_paint_ms")
    rows = [
        [kind.replace("*", "…"), *(one.get(name, "–") for name in names)]
        for kind, one in found.items()
    ]
    return table(["page", "server p50 ms", "p95", "first paint ms, median"], rows)
