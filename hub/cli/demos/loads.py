"""The city goes on: seeded records at a steady rate, and a dashboard of what becomes of them."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, deque

import httpx
from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hub.cli.demos.consoles import PEOPLE, Desk
from hub.cli.demos.entering import Entering
from hub.cli.demos.incidents import Incidents
from hub.cli.demos.observers import Linked
from hub.cli.demos.screens import Screen
from hub.cli.demos.shows import Options
from hub.cli.demos.stages import Stage
from hub.cli.languages import both
from hub.embedded.city.loads import Load

_REFRESH_SECONDS = 0.5
_WINDOW_SECONDS = 10.0
_LINES = 10
_PLAIN_SECONDS = 10.0
_CALM_SECONDS = 45.0
"""Longer than the sampler needs to know what is usual."""
_RIDDLE_SECONDS = 90.0


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


async def steady(stage: Stage, screen: Screen, options: Options, desk: Desk) -> None:
    """Enter records at a rate until cancelled.

    Args:
        stage: What runs.
        screen: Writes.
        options: Rate, seed of the records, and what goes wrong.
        desk: The operators' console.
    """
    board = Dashboard(stage, screen)
    stage.observer.show = board.linked
    _invite(stage, screen, desk)
    if options.rate:
        stage.beside(enter(stage, options.rate, options.seed, board))
        stage.beside(desk.watch.hurry(options.rate))
    if options.incident:
        stage.beside(_incident(stage, screen, options))
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


async def enter(stage: Stage, rate: float, seed: int, board: Dashboard | None = None) -> None:
    """What departments write on an ordinary day, until cancelled.

    Args:
        stage: Whose departments.
        rate: Records per second.
        seed: Of the records.
        board: Told of each.
    """
    load = Load(stage.town.city, stage.run.number, seed, stage.town.today)
    due = time.monotonic()
    async with Entering(stage) as entering:
        for entries in load.entries():
            for entry in entries:
                if entry.connector in stage.muted:
                    continue
                try:
                    await entering.enter(entry)
                except httpx.HTTPError:
                    # The gateway judges, too; what it refuses the department would correct.
                    if board:
                        board.failed += 1
                else:
                    if board:
                        board.entered(entry.connector)
            due = max(due + 1 / rate, time.monotonic() - _WINDOW_SECONDS)
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _incident(stage: Stage, screen: Screen, options: Options) -> None:
    """After some calm that shows the usual state, something goes wrong; told later what it was."""
    await asyncio.sleep(_CALM_SECONDS)
    incident = await Incidents(stage, random.Random()).kinds[options.incident]()  # noqa: S311
    screen.line(both("出事了:请在控制台找出是谁、为什么", "something broke: find who and why"))
    await asyncio.sleep(_RIDDLE_SECONDS)
    who = screen.name(incident.who) if incident.who else incident.what
    screen.line(both(f"答案:{who},{incident.cause}", f"the answer: {who}, {incident.cause}"))


def _invite(stage: Stage, screen: Screen, desk: Desk) -> None:
    stage.invite()
    folder = stage.settings.data_dir.parent
    screen.line()
    tell(screen, desk)
    screen.line(both("网关概览(十分钟内有效)", "the gateway's overview, within ten minutes"))
    screen.line(f"  {stage.served.login_link()}")
    screen.line(both("在另一终端自己试一试", "try it from another terminal"))
    screen.line(f"  HUB_DATA_DIR={folder} hub demo send grant")
    screen.line(f"  HUB_DATA_DIR={folder} hub demo send admission")
    screen.line(both("Ctrl-C 结束", "Ctrl-C ends it"))
    screen.line()


def tell(screen: Screen, desk: Desk) -> None:
    """Where the console is, and who may sign in."""
    names = ", ".join(name for name, *_ in PEOPLE)
    screen.line()
    screen.line(both("运维控制台", "operators' console"))
    screen.line(f"  {desk.url}/")
    screen.line(
        both(f"  账号 {names};密码 {desk.password}", f"accounts {names}; password {desk.password}")
    )
