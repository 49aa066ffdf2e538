"""Every example of every shipped connector: raw record to canonical events, or to its code."""

import pytest

from hub.contracts.declarations import read
from hub.intake.rehearsals import Fixtures, rehearse
from hub.sdk.manifests import load_manifests
from hub.sdk.mappings import load_mapper, raw_schema

ITEMS = [(manifest, item) for manifest in load_manifests().values() for item in manifest.items]
NAMES = [item.topic for _, item in ITEMS]


def fixtures(manifest, item):
    return read(manifest.folder / "fixtures" / f"{item.id}.yaml", Fixtures)


@pytest.mark.parametrize(("manifest", "item"), ITEMS, ids=NAMES)
def test_every_example_becomes_what_it_says(manifest, item):
    assert rehearse(manifest, item, fixtures(manifest, item)) == []


@pytest.mark.parametrize(("manifest", "item"), ITEMS, ids=NAMES)
def test_every_item_has_good_and_bad_examples(manifest, item):
    found = fixtures(manifest, item)
    assert found.good
    assert {"E-JSON", "E-ENCODING"} <= {bad.code for bad in found.bad}


@pytest.mark.parametrize(("manifest", "item"), ITEMS, ids=NAMES)
def test_every_event_type_an_item_declares_has_an_example(manifest, item):
    shown = {event["type"] for good in fixtures(manifest, item).good for event in good.events}
    assert shown >= set(item.events) - {"category.resumed"}


@pytest.mark.parametrize(("manifest", "item"), ITEMS, ids=NAMES)
def test_the_manifest_names_only_fields_of_the_record(manifest, item):
    fields = raw_schema(manifest, item)["$defs"][load_mapper(manifest, item).raw.__name__]
    known = set(fields["properties"]) | {"msgid"}
    named = {*item.key, item.person, item.version} - {"", "content_hash"}
    if item.file:
        assert set(item.file.columns) <= known
    if item.manual:
        assert {entry.name for entry in item.manual.form} == known - {"msgid"}
    assert {name.partition(".")[0] for name in named} <= known


def test_all_five_ways_are_used_and_every_topic_is_declared():
    from hub.contracts.catalogues import catalogue

    assert {way.value for _, item in ITEMS for way in item.ways} == {
        "view",
        "file",
        "rest",
        "queue",
        "manual",
    }
    assert {item.topic for _, item in ITEMS} == {
        name for name in catalogue().topics if name.startswith("in.")
    }
