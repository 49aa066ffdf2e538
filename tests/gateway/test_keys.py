from __future__ import annotations

import pytest

from hub.gateway.keys import Principal, development_key, issue
from hub.gateway.rates import Buckets
from hub.gateway.servers import check_address
from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import Settings
from hub.store import api_keys

NOW = 1_743_000_000_000


async def test_only_a_digest_is_kept_and_a_revoked_key_opens_nothing(door):
    now = door.served.gateway.now()
    key_id, token = await issue(door.db, Principal("department", "village"), now=now)
    row = await door.db.fetchrow("SELECT * FROM api_key WHERE id = $1", key_id)
    assert token not in repr(row)
    async with door.client() as client:
        client.headers["Authorization"] = f"Bearer {token}"
        assert (await client.post("/in/village/reports", json={})).status_code == 422
        assert (await api_keys.get(door.db, key_id)).last_used_at
        assert await api_keys.revoke(door.db, key_id, now=now)
        assert (await client.post("/in/village/reports", json={})).status_code == 401
    assert not await api_keys.revoke(door.db, key_id, now=now)


async def test_an_expired_key_and_its_session_open_nothing(door):
    now = door.served.gateway.now()
    _, token = await issue(door.db, Principal("operator", "late"), now=now, expires_at=now - 1)
    assert await door.served.gateway.keys.holder(token, now=now) is None
    key_id, token = await issue(door.db, Principal("operator", "soon"), now=now)
    async with door.client() as client:
        await client.post("/login", data={"key": token})
        assert (await client.get("/status.json")).status_code == 200
        await api_keys.revoke(door.db, key_id, now=now)
        assert (await client.get("/status.json")).status_code == 401


def test_a_development_key_is_made_once_and_kept_from_others(tmp_path):
    settings = Settings(data_dir=tmp_path, database="x", synthetic_people=True)
    key = development_key(settings, "program:medical-aid")
    assert development_key(settings, "program:medical-aid") == key
    (path,) = settings.secrets.iterdir()
    assert path.stat().st_mode & 0o077 == 0


def test_real_people_and_development_keys_do_not_meet(tmp_path):
    settings = Settings(data_dir=tmp_path, database="x", synthetic_people=False)
    with pytest.raises(ConfigurationError, match="hub keys new"):
        development_key(settings, "program:medical-aid")


@pytest.mark.parametrize("text", ["health", "department:", "Department:x", "operator:../x", "a:b"])
def test_a_principal_of_another_form_is_refused(text):
    with pytest.raises(ConfigurationError):
        Principal.parse(text)


def test_a_bucket_refuses_the_burst_and_fills_again():
    buckets = Buckets(rate=2, burst=3)
    verdicts = [buckets.take("k", now=0.0) for _ in range(4)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, True, False]
    assert verdicts[-1].headers()["Retry-After"] == "1"
    assert buckets.take("other", now=0.0).allowed
    assert buckets.take("k", now=0.6).allowed


@pytest.mark.parametrize(("host", "public", "allowed"), [
    ("127.0.0.1", False, True), ("::1", False, True), ("localhost", False, True),
    ("10.1.2.3", False, False), ("192.168.1.2", False, False), ("10.1.2.3", True, True),
])  # fmt: skip
def test_the_gateway_listens_beyond_this_machine_only_when_told(host, public, allowed):
    settings = Settings(gateway_host=host, gateway_public=public)
    if allowed:
        check_address(settings)
        return
    with pytest.raises(ConfigurationError, match="HUB_GATEWAY_PUBLIC=1"):
        check_address(settings)
