"""A new connector is valid and its own test passes."""

import subprocess
import sys

import pytest

from hub.contracts.catalogues import catalogue
from hub.contracts.declarations import read
from hub.intake.rehearsals import Fixtures, rehearse
from hub.kernel.errors import ConfigurationError
from hub.sdk.manifests import load_manifest
from hub.sdk.scaffolds import scaffold

PUBLISHERS = sorted(
    {who for event in catalogue().events.values() for who in event.publishers} - {"hub", "program"}
)


@pytest.mark.parametrize("connector", PUBLISHERS)
def test_the_examples_of_a_new_connector_become_what_they_say(tmp_path, connector):
    scaffold(connector, tmp_path)
    folder = tmp_path / connector.replace("-", "_")
    manifest = load_manifest(folder)
    fixtures = read(folder / "fixtures" / "records.yaml", Fixtures)
    assert rehearse(manifest, manifest.items[0], fixtures) == []


def test_the_test_of_a_new_connector_passes(tmp_path):
    scaffold("petition", tmp_path)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            "/dev/null",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_a_folder_that_exists_is_kept(tmp_path):
    (tmp_path / "petition").mkdir()
    with pytest.raises(ConfigurationError, match="exists already"):
        scaffold("petition", tmp_path)


def test_a_connector_that_may_publish_nothing_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="publisher"):
        scaffold("astrology", tmp_path)
