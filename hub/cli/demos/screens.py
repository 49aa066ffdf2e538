"""What the terminal shows: progress, the story as it happens, the tables at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.cli.demos.observers import Linked
from hub.cli.demos.plays import Outcome
from hub.cli.demos.reasons import Reasons
from hub.cli.languages import both
from hub.contracts.catalogues import catalogue
from hub.embedded.city.stories import Step
from hub.kernel.clocks import SystemClock
from hub.sdk.manifests import Manifest
from hub.sdk.subscriptions import Subscription

_WIDTH = 150
_FIELDS = 6
_SAME = 4


class Screen:
    """Writes lines; colours only on a terminal.

    Args:
        quiet: Write nothing until the end, where a program reads the output.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        found = Console(highlight=False)
        self.console = found if found.is_terminal else Console(width=_WIDTH, highlight=False)
        self._quiet = quiet
        self._names: dict[str, str] = {}
        self._reasons: Reasons | None = None
        self._shown: Counter[str] = Counter()
        self._paced = False

    def know(
        self,
        manifests: Mapping[str, Manifest],
        agreed: Mapping[str, Subscription],
        reasons: Reasons,
    ) -> None:
        """Names of departments and programs, and the rules' sentences."""
        self._names = {name: one.zh for name, one in manifests.items()}
        self._names |= {name: one.names.zh for name, one in agreed.items() if name not in manifests}
        self._names["hub"] = "枢纽"
        self._reasons = reasons

    def name(self, who: str) -> str:
        """A department or program by its Chinese name."""
        return self._names.get(who, who)

    def line(self, text: Text | str = "") -> None:
        """One line."""
        if not self._quiet:
            self.console.print(text, soft_wrap=True)

    def step(self, step: Step) -> None:
        """A step of the story begins."""
        self._paced = step.paced
        self.line()
        self.line(Text(f"▶ {both(step.zh, step.en)}", style="bold cyan"))

    def linked(self, linked: Linked) -> None:
        """A copy has reached a program: time, department → fact → reason → program and fields."""
        kind = linked.arrival.copy.type
        self._shown[kind] += self._paced
        # A load says the same again and again: a few lines of each kind are enough.
        if not self._quiet and self._shown[kind] <= _SAME:
            self.console.print(self.row(linked), soft_wrap=True)

    def row(self, linked: Linked) -> Text:
        """The line of a copy."""
        copy, fact = linked.arrival.copy, linked.fact
        sender = self._names.get(fact.source, fact.source) if fact else "枢纽"
        what = label(fact.type) if fact else "项目答复"
        zh, en = self._reasons.of(linked) if self._reasons else ("", "")
        program = self._names.get(copy.program, copy.program)
        text = Text(f"{SystemClock().now():%H:%M:%S} ", style="dim")
        text.append(f"{sender} → {what} → ", style="default")
        text.append(f"{both(zh, en)} ", style="green")
        text.append(f"→ {program}", style="bold")
        text.append(f" {label(copy.type)}", style=_STYLES.get(copy.type, "yellow"))
        shown = ", ".join(_short(linked.fields))
        text.append(f" [{shown}]" if shown else "", style="dim")
        return text

    def tables(self, outcome: Outcome) -> None:
        """Facts → decisions → referrals, latency, records, and what does not fit."""
        if self._quiet:
            return
        self.console.print(_story(outcome))
        self.console.print(self._departments(outcome))
        self.console.print(_latency(outcome))
        self.findings(outcome)

    def findings(self, outcome: Outcome) -> None:
        """What was expected and did not come, or came unexpected."""
        for one in outcome.wrong:
            subject = f" {one.subject}" if one.subject else ""
            text = both(f"应为 {one.expected},收到 {one.received}", f"expected {one.expected}, "
                        f"received {one.received}")  # fmt: skip
            self.line(Text(f"✗ {one.program} {one.type}{subject}: {text}", style="bold red"))
        for kind, found in (("死信 dead letters", outcome.dead), ("事实 facts", outcome.facts)):
            for name, (wanted, got) in found.items():
                self.line(Text(f"✗ {kind} {name}: {wanted} ≠ {got}", style="bold red"))
        for zh, en in outcome.notes:
            self.line(Text(f"✗ {both(zh, en)}", style="bold red"))
        if outcome.good:
            count = sum(number for _, number in outcome.steps)
            text = both(f"全部 {count} 份告知与手写预期一致", f"all {count} copies are as expected")
            self.line(Text(f"✓ {text}", style="bold green"))

    def _departments(self, outcome: Outcome) -> Table:
        table = Table(box=box.SIMPLE_HEAD, title=both("部门与方式", "Departments and ways"))
        for head in (("部门", "department"), ("方式", "way"), ("记录", "records")):
            table.add_column(both(*head))
        for (connector, way), count in sorted(outcome.entered.items()):
            table.add_row(self._names.get(connector, connector), way, str(count))
        return table


def _story(outcome: Outcome) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, title=both("事实 → 判定 → 转介", "Facts → decisions → referrals")
    )
    for head in (
        ("经过", "what happened"),
        ("事实", "facts"),
        ("转介", "referrals"),
        ("停止", "stops"),
        ("其他告知", "told"),
        ("死信", "dead letters"),
    ):
        table.add_column(both(*head))
    for step, _ in outcome.steps:
        kinds = [one.type for one in step.copies for _ in range(one.times)]
        referred = kinds.count("referral.created")
        stopped = kinds.count("referral.stop_notified")
        table.add_row(
            both(step.zh, step.en),
            str(sum(step.facts.values())),
            str(referred or ""),
            str(stopped or ""),
            str(len(kinds) - referred - stopped or ""),
            ", ".join(step.dead_letters),
        )
    return table


def _latency(outcome: Outcome) -> Table:
    title = both("纳入 → 转介 时延", "Latency of grants → referrals")
    table = Table(box=box.SIMPLE_HEAD, title=title)
    for head in ("n", "p50", "p95", "p99"):
        table.add_column(head)
    table.add_row(
        str(len(outcome.latency)), *(f"{outcome.percentile(p):.2f} s" for p in (50, 95, 99))
    )
    return table


def label(kind: str) -> str:
    """A type in the language of the screen."""
    found: Any = catalogue().events.get(kind)
    return found.zh if found else kind


def _short(fields: tuple[str, ...]) -> list[str]:
    shown = [field for field in fields if not field.startswith(("area.", "decision."))]
    return shown[:_FIELDS] + (["…"] if len(shown) > _FIELDS else [])


_STYLES = {"referral.created": "bold magenta", "referral.stop_notified": "bold red"}
