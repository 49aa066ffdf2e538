"""Settings of a demonstration; light, so that services start before anything else is loaded."""

from __future__ import annotations

from hub.embedded.ports import all_free
from hub.kernel.settings import Settings


def demo_settings(chosen: Settings) -> Settings:
    """Settings of a demonstration: own services in a folder of its own, invented people only.

    Whatever cluster or database the environment names is left alone.
    """
    port, console = chosen.gateway_port, chosen.console_port
    own = {
        "kafka": "",
        "database": "",
        "data_dir": chosen.data_dir.absolute() / "demo",
        "secrets_dir": None,
        "clock": "system",
        "synthetic_people": True,
        "webhook_private": True,
        "profile": "rugao",
        "profiles_dir": None,
        "connectors": "",
        "topic_prefix": "",
        "worker_slot": None,
        "gateway_host": "127.0.0.1",
        "gateway_port": port if port and all_free([port]) else 0,
        "gateway_public": False,
        "gateway_rate": 10_000,
        "gateway_lookups": True,
        "console_host": "127.0.0.1",
        "console_port": console if console and all_free([console]) else 0,
        "console_public": False,
        "console_oidc_issuer": "",
    }
    return chosen.model_copy(update=own)
