"""Capture what a sampler shows during an incident, as series for ``promtool test rules``.

``python -m tests.monitoring.capture URL FILE --seconds 240`` scrapes every 5 s, marks a failed scrape
as stale, and rewrites the ``input_series`` of the file; what it expects is written by hand and stays.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.monitoring.expressions import metrics_of_rules

SECONDS = 5


def scrape(client: httpx.Client, url: str) -> dict[str, float]:
    """Series → value; only metrics that a rule reads."""
    wanted = metrics_of_rules()
    try:
        text = client.get(url).text
    except httpx.HTTPError:
        return {}
    found = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            if one.name in wanted:
                labels = ",".join(f'{k}="{v}"' for k, v in sorted(one.labels.items()))
                found[f"{one.name}{{{labels}}}"] = one.value
    return found


def notation(values: list[float | None]) -> str:
    """Promtool's notation; equal values that follow each other are one word.

    What vanishes is marked stale, as Prometheus does when a scrape fails or lacks a series.
    """
    words: list[str] = []
    at = 0
    while at < len(values):
        end = at
        while end + 1 < len(values) and values[end + 1] == values[at]:
            end += 1
        length = end - at + 1
        if values[at] is not None:
            words.append(f"{values[at]:g}" + (f"x{length - 1}" if length > 1 else ""))
        elif at == 0:
            words.append(f"_x{length}")
        else:
            words.append("stale" + (f" _x{length - 1}" if length > 1 else ""))
        at = end + 1
    return " ".join(words)


def capture(url: str, seconds: int) -> list[dict[str, float]]:
    """Scrape for so long."""
    rows: list[dict[str, float]] = []
    begin = time.monotonic()
    with httpx.Client(timeout=3) as client:
        for turn in range(seconds // SECONDS):
            time.sleep(max(0.0, begin + turn * SECONDS - time.monotonic()))
            rows.append(scrape(client, url))
    return rows


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--seconds", type=int, default=240)
    given = parser.parse_args()
    rows = capture(given.url, given.seconds)
    names = sorted({name for row in rows for name in row})
    series = [{"series": n, "values": notation([row.get(n) for row in rows])} for n in names]
    kept = yaml.safe_load(given.file.read_text("utf-8")) if given.file.exists() else {}
    tests = kept.get("tests", [{"alert_rule_test": []}])
    tests[0] = {"interval": f"{SECONDS}s", "input_series": series, **{
        key: value for key, value in tests[0].items() if key == "alert_rule_test"}}  # fmt: skip
    doc = {"rule_files": ["alerts.yml"], "evaluation_interval": f"{SECONDS}s", "tests": tests}
    text = yaml.safe_dump(doc, allow_unicode=True, sort_keys=False, width=1000)
    given.file.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
