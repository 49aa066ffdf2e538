"""The city goes on: seeded records at a steady rate, and a dashboard of what becomes of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque

import httpx
from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hub.cli.demos.entering import Entering
from hub.cli.demos.observers import Linked
from hub.cli.demos.screens import Screen
from hub.cli.demos.stages import Stage
from hub.cli.languages import both
from hub.embedded.city.loads import Load

_REFRESH_SECONDS = 0.5
_WINDOW_SECONDS = 10.0
_LINES = 10
_PLAIN_SECONDS = 10.0


class Dashboard:
    """Figures of the last seconds.

    Args:
        stage: What runs.
        screen: Words and colours.
    """

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._entered: deque[tuple[float, str]] = deque()
        self._delivered: Counter[str] = Counter()
        self._lines: deque[Text] = deque(maxlen=_LINES)
        self.lag = 0
        self.dead: dict[str, int] = {}
        self.failed = 0

    def entered(self, connector: str) -> None:
        """A record was entered."""
        self._entered.append((time.monotonic(), connector))

    def linked(self, linked: Linked) -> None:
        """A copy came."""
        self._delivered[linked.arrival.copy.program] += 1
        self._lines.append(self._screen.row(linked))

    async def sample(self) -> None:
        """Ask the database for what waits and what failed."""
        pool = self._stage.pool
        self.lag = await pool.fetchval(
            "SELECT (SELECT count(*) FROM outbox)"
            " + (SELECT count(*) FROM delivery WHERE state = 'waiting')"
        )
        rows = await pool.fetch(
            "SELECT code, count(*) FROM dead_letter WHERE state = 'open' GROUP BY code ORDER BY 1"
        )
        self.dead = {row[0]: row[1] for row in rows}

    def rates(self) -> Counter[str]:
        """Records by department in the last seconds."""
        limit = time.monotonic() - _WINDOW_SECONDS
        while self._entered and self._entered[0][0] < limit:
            self._entered.popleft()
        return Counter(connector for _, connector in self._entered)

    def summary(self) -> str:
        """One line where there is no terminal."""
        rate = sum(self.rates().values()) / _WINDOW_SECONDS
        copies, dead = sum(self._delivered.values()), sum(self.dead.values())
        return both(
            f"每秒 {rate:.1f} 条,已送达 {copies} 份,待送 {self.lag},死信 {dead}",
            f"{rate:.1f} records/s, {copies} copies, {self.lag} waiting, {dead} dead letters",
        )

    def drawn(self) -> Group:
        """The picture of this moment."""
        departments = Table(box=box.SIMPLE_HEAD, title=both("部门 每秒", "departments, per second"))
        departments.add_column()
        departments.add_column(justify="right")
        for name, count in sorted(self.rates().items()):
            departments.add_row(self._screen.name(name), f"{count / _WINDOW_SECONDS:.1f}")
        programs = Table(box=box.SIMPLE_HEAD, title=both("项目 已送达", "copies by program"))
        programs.add_column()
        programs.add_column(justify="right")
        for name, count in sorted(self._delivered.items()):
            programs.add_row(self._screen.name(name), str(count))
        both_sides = Table.grid(padding=(0, 4))
        both_sides.add_row(departments, programs)
        dead = ", ".join(f"{code} {count}" for code, count in self.dead.items()) or "0"
        state = Text(
            both(f"待送 {self.lag}  死信 {dead}", f"{self.lag} waiting, dead letters {dead}"),
            style="yellow",
        )
        return Group(both_sides, state, *self._lines)


async def steady(stage: Stage, screen: Screen, rate: float, seed: int) -> None:
    """Enter records at a rate until cancelled.

    Args:
        stage: What runs.
        screen: Writes.
        rate: Records per second; 0: none, only what others send.
        seed: Of the records.
    """
    board = Dashboard(stage, screen)
    stage.observer.show = board.linked
    _invite(stage, screen)
    if rate:
        stage.beside(_enter(stage, board, rate, seed))
    if screen.console.is_terminal:
        with Live(console=screen.console, auto_refresh=False) as live:
            while True:
                await board.sample()
                live.update(board.drawn(), refresh=True)
                await asyncio.sleep(_REFRESH_SECONDS)
    while True:
        await asyncio.sleep(_PLAIN_SECONDS)
        await board.sample()
        screen.line(board.summary())


async def _enter(stage: Stage, board: Dashboard, rate: float, seed: int) -> None:
    load = Load(stage.town.city, stage.run.number, seed, stage.town.today)
    due = time.monotonic()
    async with Entering(stage) as entering:
        for entries in load.entries():
            for entry in entries:
                try:
                    await entering.enter(entry)
                except httpx.HTTPError:
                    # The gateway judges, too; what it refuses the department would correct.
                    board.failed += 1
                else:
                    board.entered(entry.connector)
            due = max(due + 1 / rate, time.monotonic() - _WINDOW_SECONDS)
            await asyncio.sleep(max(0.0, due - time.monotonic()))


def _invite(stage: Stage, screen: Screen) -> None:
    stage.invite()
    folder = stage.settings.data_dir.parent
    screen.line()
    screen.line(both("运维页面(十分钟内有效)", "operators' page, within ten minutes"))
    screen.line(f"  {stage.served.login_link()}")
    screen.line(both("在另一终端自己试一试", "try it from another terminal"))
    screen.line(f"  HUB_DATA_DIR={folder} hub demo send grant")
    screen.line(f"  HUB_DATA_DIR={folder} hub demo send admission")
    screen.line(both("Ctrl-C 结束", "Ctrl-C ends it"))
    screen.line()
