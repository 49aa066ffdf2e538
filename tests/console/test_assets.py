"""What browsers load comes from the package, with sums and licences on record."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import yaml

from hub.console import assets
from tests.console.conftest import Rig

VENDOR = Path(assets.__file__).parent / "static" / "vendor"


def test_every_foreign_file_has_its_source_licence_and_sum() -> None:
    known = yaml.safe_load((VENDOR / "sources.yaml").read_text("utf-8"))
    assert {one.name for one in VENDOR.glob("*.js")} == set(known)
    for name, source in known.items():
        assert sha256((VENDOR / name).read_bytes()).hexdigest() == source["sha256"]
        assert (VENDOR / source["licence"]).is_file()


async def test_an_address_names_the_content_and_is_kept_for_ever(rig: Rig) -> None:
    browser = rig.client()
    answer = await browser.get(assets.address("console.css"))
    assert "immutable" in answer.headers["cache-control"]
    old = await browser.get("/static/000000000000/console.css")
    assert old.headers["location"] == assets.address("console.css")
    assert (await browser.get("/static/x/../../secrets")).status_code == 404
