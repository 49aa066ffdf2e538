"""Vocabulary, grants, topics and the register of schema ids."""

import json
import shutil

import pytest

from hub.contracts.catalogues import Catalogue, catalogue
from hub.contracts.compatibility import check
from hub.contracts.registries import Registry, build, read_ids, stale
from hub.kernel.errors import ConfigurationError, DataError
from hub.kernel.places import shipped


@pytest.fixture
def place(tmp_path):
    for name in ("schemas", "topics"):
        shutil.copytree(shipped(name), tmp_path / name)
    return tmp_path


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_committed_schemas_are_what_the_declarations_ask_for():
    assert stale(shipped("schemas")) == []


def test_the_schemas_may_follow_the_last_release():
    folder = shipped("schemas")
    released = sorted((folder / "released").rglob("*.avsc"))
    assert released
    for path in released:
        new = json.loads((folder / path.relative_to(folder / "released")).read_text())
        assert check(new, [json.loads(path.read_text())], "FULL_TRANSITIVE") == []


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (
            "schemas/vocabulary.yaml",
            "type: money, zh: 总费用",
            "type: float, zh: 总费用",
            "medcost.fields.total",
        ),
        (
            "schemas/vocabulary.yaml",
            "groups: [move]",
            "groups: [moved]",
            "events.residence.changed",
        ),
        (
            "schemas/vocabulary.yaml",
            "class: sensitive\n    fields:\n      name",
            "class: secret\n    fields:\n      name",
            "groups.id.class",
        ),
        (
            "schemas/vocabulary.yaml",
            "{list: Member}",
            "{list: Members}",
            "household.fields.members",
        ),
        ("schemas/vocabulary.yaml", "  move:\n", "  id:\n", "id stands there twice"),
        ("schemas/vocabulary.yaml", "zh: 住院,", "zh: 住院, colour: red,", "colour"),
        ("schemas/grants.yaml", "care: [care_level]", "care: [care_levels]", "receivers.tekun"),
        ("schemas/grants.yaml", "phone@accept", "phone@maybe", "receivers.housing-aid"),
        (
            "schemas/grants.yaml",
            "bodies: [roster, disposition]",
            "bodies: [rosters]",
            "poverty-alleviation.bodies",
        ),
        ("topics/in.police.yaml", "owner: police", "owner: health", "in.police.deaths"),
        (
            "topics/in.police.yaml",
            "in.police.households",
            "in.Police.households",
            "in.Police.households",
        ),
        ("topics/in.police.yaml", "retention: 30d", "retention: soon", "retention"),
        ("topics/in.police.yaml", "dept.police", "somebody", "producers"),
        ("topics/in.police.yaml", "schema: json", "schema: event", "schema"),
        ("topics/in.health.yaml", "in.health.admissions", "in.police.deaths", "in.police.deaths"),
        ("topics/event.yaml", "owner: hub", "owner: nobody", "owner"),
        ("topics/event.yaml", "retention: 400d\n", "", "retention"),
    ],
)
def test_a_wrong_declaration_is_refused_naming_file_and_key(place, file, old, new, named):
    edit(place / file, old, new)
    with pytest.raises(ConfigurationError) as refused:
        Catalogue(place / "schemas", place / "topics")
    assert file.rsplit("/", 1)[1] in str(refused.value)
    assert named in str(refused.value)


def test_a_new_field_gets_a_new_id_and_old_records_stay_readable(place):
    folder = place / "schemas"
    before = Registry(folder)
    edit(
        folder / "vocabulary.yaml",
        "      hospital: {type: code",
        "      ward: {type: string, zh: 病区, en: Ward}\n      hospital: {type: code",
    )
    assert "events/health.hospitalized.avsc" in stale(folder)
    build(folder)
    assert stale(folder) == []
    after = Registry(folder)
    old_id = before.latest["events/health.hospitalized.avsc"]
    new_id = after.latest["events/health.hospitalized.avsc"]
    assert new_id > max(before.files)
    assert after.schemas[old_id] == before.schemas[old_id]
    assert read_ids(folder)[: len(before.lines)] == before.lines
    assert check(after.schemas[new_id], [after.schemas[old_id]], "FULL_TRANSITIVE") == []


def test_building_twice_writes_nothing(place):
    assert build(place / "schemas") == []


def test_a_schema_changed_by_hand_is_refused(place):
    edit(place / "schemas/events/person.died.avsc", "死亡", "往生")
    with pytest.raises(ConfigurationError, match="not the text registered"):
        Registry(place / "schemas")


def test_every_field_of_every_schema_has_doc_class_and_owner():
    def visit(node):
        if isinstance(node, dict):
            for field in node.get("fields", ()):
                assert {"doc", "class", "owner"} <= field.keys(), field["name"]
            for part in node.values():
                visit(part)
        elif isinstance(node, list):
            for part in node:
                visit(part)

    for schema in catalogue().schemas_by_id.values():
        visit(schema)


def test_the_schema_of_a_copy_names_exactly_the_granted_fields():
    place = catalogue()
    for program, grant in place.grants.items():
        schema = place.schemas_by_id[place.schema_id(f"programs/{program}.avsc")]
        shown = {
            field["name"]: tuple(f["name"] for f in field["type"][1]["fields"])
            for field in schema["fields"]
            if field["name"] in place.groups
        }
        assert shown == grant.groups


@pytest.mark.parametrize(
    ("program", "group", "fields"),
    [
        ("electricity-relief", "life", ()),
        ("electricity-relief", "household", ()),
        ("education-aid", "contact", ()),
        ("education-aid", "category", ("category", "effective_from_month", "effective_to_month")),
        ("power-supply", "id", ()),
        ("medical-aid", "diagnosis", ()),
        ("employment-aid", "job", ("status", "since", "work_ability")),
        ("charity-housing", "house", ("house_ref", "danger_grade")),
    ],
)
def test_nobody_sees_more_than_the_purpose_needs(program, group, fields):
    assert catalogue().grants[program].groups.get(group, ()) == fields


def test_copies_of_members_never_hold_a_name_or_id_number():
    place = catalogue()
    for program in place.grants:
        text = json.dumps(place.schemas_by_id[place.schema_id(f"programs/{program}.avsc")])
        member = text[text.find('"name": "Member"') :][:2000] if '"Member"' in text else ""
        assert '"valid_from"' not in member
        assert '"ref"' not in text


def test_names_of_one_event_belong_together():
    event = catalogue().events["social_insurance.changed"]
    assert event.ce_type == "gov.social_insurance.changed.v1"
    assert event.record_name == "gov.social_insurance.Changed"
    assert event.topic == "event.social-insurance"


def test_inputs_and_events_have_the_same_partitions_and_the_brokers_time():
    topics = catalogue().topics
    assert {t.partitions for t in topics.values() if t.name.startswith(("in.", "event."))} == {None}
    assert {t.partitions for t in topics.values() if t.name.startswith("program.")} == {1}
    assert {t.timestamp_type for t in topics.values()} == {"LogAppendTime"}
    for name in topics:
        assert "_" not in name


def test_every_input_has_its_dead_letter_topic_outside_the_departments_prefix():
    topics = catalogue().topics
    inputs = [name for name in topics if name.startswith("in.")]
    assert len(inputs) == 18
    assert all(f"dlq.hub.{name}" in topics for name in inputs)
    assert all("dept." not in "".join(topics[f"dlq.hub.{name}"].producers) for name in inputs)


def test_an_unknown_type_is_a_data_error():
    with pytest.raises(DataError) as refused:
        catalogue().event("health.sneezed")
    assert refused.value.code == "E-TYPE-UNKNOWN"
