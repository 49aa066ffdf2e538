"""The wheel carries everything, and what it carries works without the checkout."""

from __future__ import annotations

import ensurepip
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = (
    ("schemas", "list", "--json"),
    ("connectors", "check", "--json"),
    ("profile", "check"),
)
DATA = ("topics", "schemas")
"""Folders beside the package that the wheel carries inside it."""
SNIPPET = """\
from hub.contracts.catalogues import catalogue
from hub.embedded.jars import LOCK
from hub.kernel.places import PACKAGE
found = catalogue()
assert len(found.events) > 40 and len(found.grants) >= 15 and len(found.topics) > 50
assert LOCK.is_file()
print(PACKAGE)
"""


def run(program: Path | str, *words: str, cwd: Path) -> str:
    """Standard output of a command that uses neither the checkout nor this machine's settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HUB_", "PYTHON"))}
    done = subprocess.run(
        [str(program), *words], cwd=cwd, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answers(python: Path, cwd: Path) -> dict[str, str]:
    """What the checked commands print, without the places where files stand."""
    found = {verb: run(python.with_name("hub"), verb, *words, cwd=cwd) for verb, *words in COMMANDS}
    return {**found, "package": run(python, "-c", SNIPPET, cwd=cwd).strip()}


def pip() -> tuple[str, ...]:
    """Words that run pip: this environment's, or the one that Python itself carries."""
    if find_spec("pip"):
        return ("-m", "pip")
    (carried_pip,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    return (f"{carried_pip}/pip",)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment with the wheel; only its dependencies come from here."""
    folder = tmp_path_factory.mktemp("env")
    run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    words = ("--disable-pip-version-check", "--python", str(python), "install", "-q", "--no-index")
    run(sys.executable, *pip(), *words, "--no-deps", "--no-compile", str(wheel), cwd=folder)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # A line in a .pth is a path only; .pth files found there, such as the checkout's, stay unread.
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python


def carried(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def committed(*folders: str) -> list[str]:
    listed = run("git", "ls-files", "--", *folders, cwd=ROOT)
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def test_every_committed_file_of_the_packages_is_in_the_wheel(wheel):
    assert set(committed("hub", "connectors")) - carried(wheel) == set()


def test_topics_and_schemas_are_in_the_wheel(wheel):
    wanted = {f"hub/_data/{name}" for name in committed(*DATA)}
    assert wanted - carried(wheel) == set()


def test_the_wheel_holds_no_caches_and_no_tests_of_the_hub(wheel):
    strays = {n for n in carried(wheel) if n.endswith(".pyc") or n.startswith(("tests/", "docs/"))}
    assert strays == set()


def test_licence_and_command_are_in_the_wheel(wheel):
    names = {Path(name).name: name for name in carried(wheel) if ".dist-info/" in name}
    assert {"LICENSE", "METADATA", "entry_points.txt"} <= names.keys()
    with zipfile.ZipFile(wheel) as archive:
        assert b"hub = hub.cli.main:main" in archive.read(names["entry_points.txt"])


def test_an_installed_wheel_answers_like_the_checkout(installed, tmp_path):
    from_wheel, from_checkout = answers(installed, tmp_path), answers(Path(sys.executable), ROOT)
    package = Path(from_wheel.pop("package"))
    assert package.is_relative_to(installed.parents[1])
    assert Path(from_checkout.pop("package")) == ROOT / "hub"
    assert from_wheel == from_checkout
    count = len(committed("connectors/*/manifest.yaml"))
    assert json.loads(from_wheel["connectors"]) == {"connectors": count, "findings": []}
