"""Poison in every way: a dead letter with code and reason, and the next event unaffected."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from hub.embedded.city import forms
from tests.scenarios.harness.runs import Run
from tests.scenarios.harness.sightings import Sightings
from tests.scenarios.harness.stages import Stage, Templates
from tests.scenarios.harness.stories import Story, day
from tests.scenarios.harness.views import dead_letter_list

QUEUE = "mz.shjz.category"


class Family(Story):
    id = "poison"
    title = "A family that is granted dibao after the poison"
    begins = "2025-01-01T00:00"

    def given(self) -> None:
        self.cast.household("HA", {"A": 38}, meter="M-A")

    def when(self) -> None:
        self.enters("2025-02-10T09:00", "civil-affairs", "categories", grant(self, "C-good"))

    def then(self, seen: Sightings) -> None:
        seen.exactly(1, "referral.created", to="medical-aid", person="A")

    def left_open(self) -> dict[str, int]:
        return {}


def grant(story: Story, number: str, **changes: Any) -> dict[str, Any]:
    household = story.cast.households["HA"]
    record = forms.category(household, "GRANT", day("2025-02-10"), number=number, kind="DIBAO")
    return record | changes


def person(number: str) -> dict[str, Any]:
    return {"idCard": number, "name": "王某"}


@pytest.fixture
async def stage(
    kafka: str, database: str, templates: Templates, tmp_path: Path, keys_folder: Path
) -> AsyncIterator[Stage]:
    async with Stage(kafka, database, templates, tmp_path, keys_folder, Family()) as found:
        yield found


async def test_poison_on_a_queue_becomes_dead_letters_and_holds_nothing_up(stage: Stage):
    story = stage.story
    good = story.cast.persons["A"].id_number
    wrong = good[:-1] + ("0" if good[-1] != "0" else "1")
    poison: list[tuple[bytes, str]] = [
        (b'{"recordNo": "C-1", "action"', "E-JSON"),
        ('{"recordNo": "张"}'.encode("gbk"), "E-ENCODING"),
        (orjson.dumps(grant(story, "C-2", person=person(wrong))), "E-ID-CHECK"),
        (orjson.dumps(grant(story, "C-3", person=person(good[:-2]))), "E-ID-LENGTH"),
        (orjson.dumps(grant(story, "C-4", category="超级低保")), "E-CODE-UNKNOWN"),
        (b"[" * 20_000, "E-JSON"),
    ]
    for value, _ in poison:
        # No key: normal on a department's own queue.
        await stage.producer.send_and_wait(stage.prefix + QUEUE, value)
    # Beside them, a record of a schema nobody registered, on a canonical topic.
    unknown = b"\x00\x00\x0f\x42\x3f" + b"abc"
    await stage.producer.send_and_wait(f"{stage.prefix}event.category", unknown, partition=0)

    seen = await Run(stage, story, "plain", 0).play()

    story.then(seen)
    found = {(row["code"], row["stage"]) for row in await dead_letter_list(stage)}
    assert found == {(code, "intake") for _, code in poison} | {("E-SCHEMA-ID", "decide")}
    for row in await dead_letter_list(stage):
        assert row["source"] in {"civil-affairs", "event.category", ""}


async def test_a_body_of_five_megabytes_is_refused_at_the_edge_with_a_dead_letter(stage: Stage):
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await stage._offices.enter("police", "deaths", {"zxbh": "x" * 5_000_000})
    assert refused.value.response.status_code == 413
    problem = refused.value.response.json()
    assert problem["title"]
    assert refused.value.response.headers["content-type"] == "application/problem+json"
    ends = await stage.ends(["in.police.deaths", "dlq.hub.in.police.deaths"])
    by_topic: dict[str, int] = {}
    for tp, end in ends.items():
        by_topic[tp.topic] = by_topic.get(tp.topic, 0) + end
    assert by_topic == {
        f"{stage.prefix}in.police.deaths": 0,
        f"{stage.prefix}dlq.hub.in.police.deaths": 1,
    }


async def test_a_wrong_sender_key_and_a_broken_body_are_told_at_once(stage: Stage):
    client = stage._offices.client
    assert client is not None
    anonymous = await client.post("/in/police/deaths", content=b"{}")
    assert anonymous.status_code == 401
    key = stage._offices.key_of("police")
    broken = await client.post(
        "/in/police/deaths",
        content=b'{"zxbh": ',
        headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    assert broken.status_code == 400
    other = await client.post(
        "/in/hospital/encounters",
        content=b"{}",
        headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    assert other.status_code == 403
