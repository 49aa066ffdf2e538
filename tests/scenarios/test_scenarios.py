"""Every story: plain, twice, shuffled and restarted (rules G1 to G8)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.scenarios import s01_quarterly_roster, s02_backstop_list
from tests.scenarios.harness.rules import hold
from tests.scenarios.harness.runs import MODES, Run
from tests.scenarios.harness.stages import Stage, Templates
from tests.scenarios.harness.stories import Story

STORIES = (*s01_quarterly_roster.STORIES, *s02_backstop_list.STORIES)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.id)
async def test_the_story_holds(
    story: type[Story],
    mode: str,
    kafka: str,
    database: str,
    templates: Templates,
    tmp_path: Path,
    keys_folder: Path,
):
    seed = random.randrange(1_000_000)  # noqa: S311 - drawn for a test
    print(f"{story.id} {mode} seed={seed}")
    told = story()
    async with Stage(kafka, database, templates, tmp_path, keys_folder, told) as stage:
        seen = await Run(stage, told, mode, seed).play()
        told.then(seen)
        hold(told, seen)
