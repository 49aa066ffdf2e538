"""Secrets: made once, never shown, never made where two machines would differ."""

import pickle
import stat
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from hub.kernel.errors import ConfigurationError
from hub.kernel.secrets import NAMES, Secret, Secrets, loose
from hub.kernel.settings import Settings

GOOD = "00112233445566778899aabbccddeeff" * 2


def settings_in(folder, **values):
    return Settings(data_dir=folder / "data", database="", **values)


def digests(folder):
    loaded = Secrets.load(settings_in(folder), environ={})
    return [loaded[name].reveal().hex() for name in NAMES]


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path):
    first = digests(tmp_path)
    assert digests(tmp_path) == first
    assert len(set(first)) == len(NAMES)
    folder = settings_in(tmp_path).secrets
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert loose(folder) == []


def test_loose_files_are_reported(tmp_path):
    digests(tmp_path)
    folder = settings_in(tmp_path).secrets
    (folder / "k_uid").chmod(0o644)
    assert loose(folder) == [folder / "k_uid"]
    assert loose(tmp_path / "none") == []


def test_processes_that_start_together_share_one_secret(tmp_path):
    with get_context("spawn").Pool(3) as pool:
        found = pool.map(digests, [tmp_path] * 6)
    assert len({tuple(one) for one in found}) == 1


def test_threads_that_start_together_share_one_secret(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(digests, [tmp_path] * 16))
    assert len({tuple(one) for one in found}) == 1


def test_the_environment_goes_before_the_file(tmp_path):
    digests(tmp_path)
    loaded = Secrets.load(settings_in(tmp_path), environ={"HUB_SECRET_K_UID": GOOD})
    assert loaded.k_uid == bytes.fromhex(GOOD)
    assert bytes.fromhex(GOOD) not in {loaded.k_route, loaded.k_program, loaded.k_copy}


def test_a_part_of_the_hub_holds_only_what_it_asked_for(tmp_path):
    loaded = Secrets.load(settings_in(tmp_path), names=("k_route",), environ={})
    assert len(loaded.k_route) == 32
    with pytest.raises(ConfigurationError, match="k_uid"):
        _ = loaded.k_uid
    assert [path.name for path in settings_in(tmp_path).secrets.iterdir()] == ["k_route"]


def test_nothing_is_made_beside_a_real_database(tmp_path):
    real = Settings(data_dir=tmp_path, database="postgresql://db/hub", synthetic_people=False)
    with pytest.raises(ConfigurationError, match="HUB_SECRET_K_UID"):
        Secrets.load(real, environ={})
    assert not real.secrets.exists()


@pytest.mark.parametrize("text", ["", "xyz", "00" * 32, "ab" * 16, "密钥", GOOD[:-1]])
def test_a_weak_secret_is_refused_without_being_shown(tmp_path, text):
    folder = settings_in(tmp_path).secrets
    folder.mkdir(parents=True)
    (folder / "k_uid").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Secrets.load(settings_in(tmp_path), names=("k_uid",), environ={})
    assert not text or text not in str(caught.value)


def test_no_text_of_a_secret_shows_its_value():
    secret = Secret(b"canary-canary-canary-canary-1234")
    held = Secrets({"k_uid": secret})
    for shown in (repr(secret), str(secret), f"{secret}", repr(held), str([secret]), str(held)):
        assert "canary" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_equal_secrets_are_equal():
    assert Secret(b"a" * 32) == Secret(b"a" * 32)
    assert Secret(b"a" * 32) != Secret(b"b" * 32)
    assert Secret(b"a" * 32) != b"a" * 32
    assert len({Secret(b"a" * 32), Secret(b"a" * 32)}) == 1
