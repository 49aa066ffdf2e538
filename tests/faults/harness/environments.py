"""Environments: settings of the hub's processes at a site, and the site's own profile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from hub.kernel.places import PACKAGE
from tests.faults.harness.children import ROOT

PROFILE = "rugao"
_KAFKA = "delivery: {way: kafka}"
_HOOK = "http://127.0.0.1:8701/hub"


def hub_environment(folder: Path, **values: str) -> dict[str, str]:
    """The whole environment of a process: ours without any setting of a hub, and the site's.

    Args:
        folder: Of the site.
        values: Settings in lower case without ``hub_``.
    """
    fixed = {
        "secrets_dir": str(folder / "secrets"),
        "profiles_dir": str(folder / "profiles"),
        "profile": PROFILE,
        "synthetic_people": "1",
        "webhook_private": "1",
        "lanes": "2",
        "log_json": "1",
        "gateway_rate": "100000",
    }
    found = {f"HUB_{name.upper()}": value for name, value in (fixed | values).items()}
    return tool_environment() | found


def tool_environment() -> dict[str, str]:
    """The environment without any setting of a hub; the checkout is importable."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    places = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return own | {"PYTHONPATH": ":".join(places), "PYTHONUNBUFFERED": "1"}


def write_profile(folder: Path, hook: str, webhooks: Iterable[str] = ()) -> None:
    """The profile with its webhooks sent to a receiver of this site.

    Args:
        folder: Of the site.
        hook: Address of the receiver.
        webhooks: Programs that get webhooks here, though the profile says Kafka.
    """
    place = folder / "profiles" / PROFILE
    shutil.copytree(PACKAGE / "profiles" / PROFILE, place, dirs_exist_ok=True)
    turned = {f"{name}.yaml" for name in webhooks}
    for file in (place / "programs").glob("*.yaml"):
        text = file.read_text(encoding="utf-8").replace(_HOOK, hook)
        if file.name in turned:
            text = text.replace(_KAFKA, f'delivery: {{way: webhook, url: "{hook}"}}')
        file.write_text(text, encoding="utf-8")
