"""Answers: clicks and seconds of each story from the start page, kept in ``build/browser.json``."""

from __future__ import annotations

import time
from pathlib import Path

import orjson

from tests.browser.browsers import Seat

BUILD = Path(__file__).parents[2] / "build" / "browser.json"


class Answers:
    """What the stories of a session came to.

    Args:
        seed: Of what was drawn.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.stories: list[dict[str, object]] = []

    def note(self, story: str, seat: Seat, since: float, **drawn: object) -> None:
        """A story is answered.

        Args:
            story: Its name.
            seat: Counted the clicks.
            since: Monotonic seconds when the operator looked at the start page.
            drawn: What was drawn, for the record.
        """
        seconds = round(time.monotonic() - since, 1)
        self.stories.append({"story": story, "clicks": seat.clicks, "seconds": seconds, **drawn})
        print(f"{story}: {seat.clicks} clicks, {seconds} s {drawn}")

    def write(self) -> None:
        """Keep them."""
        BUILD.parent.mkdir(exist_ok=True)
        document = {"seed": self.seed, "stories": self.stories}
        BUILD.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
