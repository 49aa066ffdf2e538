"""Manifests: what is refused, and how it is told."""

import pytest
import yaml

from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import Settings
from hub.sdk.durations import duration_ms
from hub.sdk.manifests import load_manifest, load_manifests, shipped_folder
from hub.sdk.mappings import load_mapper, raw_schema
from hub.sdk.scaffolds import scaffold


def tree():
    path = shipped_folder() / "health" / "manifest.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def refusal(tmp_path, changed):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "manifest.yaml").write_text(yaml.safe_dump(changed, allow_unicode=True))
    with pytest.raises(ConfigurationError) as refused:
        load_manifest(folder)
    assert str(folder / "manifest.yaml") in refused.value.message
    return refused.value


def broken(change):
    changed = tree()
    change(changed, changed["items"][0])
    return changed


CASES = {
    "unknown key": (lambda m, i: i.update(tabel="x"), "items[admissions].tabel", "未知的键"),
    "missing key": (lambda m, i: i.pop("purpose"), "items[admissions].purpose", "缺少此键"),
    "no options": (lambda m, i: i.update(ways="file"), "items[admissions]", "file"),
    "unknown way": (lambda m, i: i.update(ways="fax"), "items[admissions].ways", "manual"),
    "id number as key": (lambda m, i: i.update(key="证件号码"), "items[admissions]", "ID number"),
    "bad duration": (
        lambda m, i: i["refresh"].update(every="daily"),
        "items[admissions].refresh.every",
        "ISO 8601",
    ),
    "bad overlap": (
        lambda m, i: i["view"].update(order_kind="sequence"),
        "items[admissions].view",
        "overlap",
    ),
    "foreign topic": (
        lambda m, i: i.update(topic="in.police.admissions"),
        "items[admissions].topic",
        "in.health.",
    ),
    "event of another department": (
        lambda m, i: i["events"].append("category.ended"),
        "items[admissions].events",
        "health 无权发布 category.ended",
    ),
    "undeclared event": (
        lambda m, i: i["events"].append("health.healed"),
        "items[admissions].events",
        "未登记",
    ),
    "no division": (lambda m, i: m.pop("division"), "division", "缺少此键"),
}


@pytest.mark.parametrize(("change", "key", "said"), CASES.values(), ids=CASES)
def test_a_wrong_manifest_is_refused_with_file_item_and_key(tmp_path, change, key, said):
    refused = refusal(tmp_path, broken(change))
    assert key in refused.message
    assert key in refused.message_zh
    assert said in refused.message + refused.message_zh


def test_a_key_that_stands_twice_is_refused(tmp_path):
    (tmp_path / "manifest.yaml").write_text("id: a\nid: b\n")
    with pytest.raises(ConfigurationError, match="twice"):
        load_manifest(tmp_path)


def test_every_finding_of_a_manifest_is_told_at_once(tmp_path):
    refused = refusal(tmp_path, broken(lambda m, i: (i.pop("purpose"), i.update(tabel=1))))
    assert "purpose" in refused.message
    assert "tabel" in refused.message


def test_own_connectors_come_from_a_folder_and_import_under_a_name_of_their_own(tmp_path):
    scaffold("township", tmp_path)
    scaffold("petition", tmp_path)
    found = load_manifests(Settings(connectors=str(tmp_path)))
    modules = {
        load_mapper(found[name], found[name].items[0]).raw.__module__
        for name in ("township", "petition")
    }
    assert len(modules) == 2
    assert all(name.startswith("hub_connector_") for name in modules)


def test_an_own_connector_may_not_take_a_shipped_id(tmp_path):
    scaffold("health", tmp_path)
    with pytest.raises(ConfigurationError, match="id is used by"):
        load_manifests(Settings(connectors=str(tmp_path)))


def test_a_folder_without_connectors_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match="holds no manifest"):
        load_manifests(Settings(connectors=str(tmp_path)))


def test_a_mapping_that_cannot_be_imported_is_told(tmp_path):
    scaffold("township", tmp_path)
    (tmp_path / "township" / "mappings.py").write_text("import no_such_module\n")
    manifest = load_manifest(tmp_path / "township")
    with pytest.raises(ConfigurationError, match="no_such_module"):
        load_mapper(manifest, manifest.items[0])


def test_the_raw_record_has_a_json_schema_with_the_departments_own_names():
    manifest = load_manifests()["health"]
    schema = raw_schema(manifest, manifest.items[0])
    assert schema["$id"] == "urn:gov:hub:raw:in.health.admissions"
    assert "入院日期" in schema["$defs"]["Admission"]["required"]


@pytest.mark.parametrize(
    ("text", "ms"),
    [("PT15M", 900_000), ("P1D", 86_400_000), ("P1DT1S", 86_401_000), ("P1W", 604_800_000)],
)
def test_a_duration_is_read(text, ms):
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "P", "PT", "P0D", "1D", "P1H", "-P1D", "P1.5D"])
def test_a_wrong_duration_is_refused(text):
    with pytest.raises(ValueError, match="ISO 8601"):
        duration_ms(text)
