"""Raw records and pipelines for the tests of intake."""

import msgspec
import pytest
from raw_records import REPLAYS

from hub.contracts.declarations import read
from hub.intake.pipelines import compile_pipelines
from hub.intake.rehearsals import KEYS, Fixtures
from hub.kernel.settings import Settings
from hub.sdk.manifests import load_manifests


@pytest.fixture(scope="session")
def manifests():
    return load_manifests()


@pytest.fixture(scope="session")
def pipelines(manifests):
    return compile_pipelines(
        manifests, KEYS._replace(replays=REPLAYS), Settings(synthetic_people=True)
    )


@pytest.fixture(scope="session")
def example(manifests):
    """The first good raw record of an item, as an object."""

    def find(topic):
        for manifest in manifests.values():
            for item in manifest.items:
                if item.topic == topic:
                    path = manifest.folder / "fixtures" / f"{item.id}.yaml"
                    return msgspec.to_builtins(read(path, Fixtures).good[0].raw)
        raise LookupError(topic)

    return find


@pytest.fixture(scope="session")
def row(example):
    """A health row with changes, as bytes."""

    def make(**changes):
        return msgspec.json.encode({**example("in.health.admissions"), **changes})

    return make
