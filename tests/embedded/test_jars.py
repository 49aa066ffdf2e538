"""Every jar is verified before Java starts, and comes from a bundle where there is no network."""

from __future__ import annotations

import re
import shutil

import pytest

from hub.embedded import jars
from hub.embedded.repositories import UnavailableError
from hub.embedded.services import embedded
from hub.kernel.errors import HubError

SOME = tuple(sorted(jars.locked(), key=lambda jar: jar.file))[:3]


@pytest.fixture
def bundle(tmp_path):
    jars.ensure()
    folder = tmp_path / "bundle"
    folder.mkdir()
    for jar in SOME:
        shutil.copyfile(jars.cache_folder() / jar.file, folder / jar.file)
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_the_list_names_files_and_sums_and_no_address():
    text = jars.LOCK.read_text()
    assert "://" not in text
    assert len(jars.locked()) == 46
    for jar in jars.locked():
        assert re.fullmatch(r"[0-9a-f]{64}", jar.sha256)
        _group, artifact, version = jar.coordinate.split(":")
        assert jar.file == f"{artifact}-{version}.jar"
    assert any(jar.coordinate == "org.apache.kafka:kafka_2.13:4.3.1" for jar in jars.locked())


def test_a_bundle_fills_an_empty_cache_without_a_network(cache, bundle):
    told = []
    path = jars.ensure(folder=cache, bundle=bundle, jars=SOME, tell=lambda *part: told.append(part))
    assert path == [cache / jar.file for jar in SOME]
    assert jars.unverified(cache, SOME) == []
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert sorted(p.name for p in cache.iterdir()) == [jar.file for jar in SOME]


def test_a_full_cache_asks_nobody(cache, bundle):
    jars.ensure(folder=cache, bundle=bundle, jars=SOME)
    shutil.rmtree(bundle)
    assert len(jars.ensure(folder=cache, bundle=bundle, jars=SOME)) == 3


def test_a_corrupted_cached_jar_is_replaced_from_the_bundle(cache, bundle):
    jars.ensure(folder=cache, bundle=bundle, jars=SOME)
    broken = cache / SOME[1].file
    content = bytearray(broken.read_bytes())
    content[len(content) // 2] ^= 1
    broken.write_bytes(content)
    assert jars.unverified(cache, SOME) == [SOME[1]]
    jars.ensure(folder=cache, bundle=bundle, jars=SOME)
    assert jars.unverified(cache, SOME) == []


def test_a_jar_wrong_at_its_source_is_deleted_and_named(cache, bundle):
    jars.ensure(folder=cache, bundle=bundle, jars=SOME)
    for folder in (cache, bundle):
        (folder / SOME[0].file).write_bytes(b"not a jar")
    with pytest.raises(HubError) as caught:
        jars.ensure(folder=cache, bundle=bundle, jars=SOME)
    assert SOME[0].file in caught.value.message
    assert SOME[0].file in caught.value.message_zh
    assert str(cache) in caught.value.hint
    assert not (cache / SOME[0].file).exists()
    assert list(cache.glob(".fetch-*")) == []


def test_a_jar_missing_from_the_bundle_is_named_with_the_folder_to_put_it_into(cache, bundle):
    (bundle / SOME[2].file).unlink()
    with pytest.raises(HubError) as caught:
        jars.ensure(folder=cache, bundle=bundle, jars=SOME)
    for text in (caught.value.message_zh, str(caught.value)):
        assert SOME[2].file in text
        assert str(bundle) in text


def test_a_mirror_replaces_central_and_one_that_is_away_is_said_clearly(cache):
    with pytest.raises(HubError) as caught:
        jars.ensure(folder=cache, mirror="http://127.0.0.1:9/maven", jars=SOME[:1])
    assert isinstance(caught.value.__cause__, UnavailableError)
    for text in (caught.value.message_zh, str(caught.value)):
        assert SOME[0].file in text
        assert "HUB_BUNDLE" in text
        assert str(cache) in text


async def test_java_is_not_started_with_a_wrong_jar(
    data_dir, own_settings, bundle, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    (bundle / SOME[0].file).write_bytes(b"not a jar")
    chosen = own_settings.model_copy(update={"bundle": bundle})
    with pytest.raises(HubError):
        async with embedded(data_dir, settings=chosen):
            pass
    assert not (data_dir / "kafka").exists()
    assert not (data_dir / "postgres" / "postmaster.pid").exists()
