"""Addresses: which Kafka and database a command talks to."""

from __future__ import annotations

from typing import NamedTuple

from hub.kernel.errors import HubError
from hub.kernel.settings import Settings


class Addresses(NamedTuple):
    """Where the services are; ``embedded`` tells that this machine's hub runs them."""

    kafka: str
    database: str
    embedded: bool


def addresses(settings: Settings) -> Addresses:
    """The services that the settings name, else those of the hub that runs on the data folder.

    Raises:
        HubError: neither is there.
    """
    kafka, database, found = settings.kafka, settings.database, None
    if not (kafka and database):
        from hub.embedded.services import running

        found = running(settings.data_dir)
    if found:
        kafka, database = kafka or found.kafka, database or found.database
    if not (kafka and database):
        raise HubError(
            f"No hub runs on {settings.data_dir}, and HUB_KAFKA and HUB_DATABASE are not set.",
            hint="Start one with 'hub dev' in another terminal, or set both.",
            message_zh=f"{settings.data_dir} 上没有运行中的枢纽,也未设置 HUB_KAFKA 和 "
            "HUB_DATABASE;请在另一终端运行 hub dev,或设置这两项。",
        )
    return Addresses(kafka, database, found is not None)
