"""Releases: the wheel of the commit before the last change of the tables, in its own environment."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

from tests.faults.harness.children import ROOT
from tests.faults.harness.declarations import NotRunError
from tests.faults.harness.sites import Site

_MIGRATIONS = "hub/store/migrations"


class Release(NamedTuple):
    """An environment that holds one release."""

    commit: str
    python: Path


async def former_python(site: Site) -> Release:
    """Build and install the former release beside the site.

    Raises:
        NotRunError: this checkout has no history that goes so far back.
    """
    return await asyncio.to_thread(_built, site.folder / "former")


def _built(folder: Path) -> Release:
    commit = _former_commit()
    source, out = folder / "source", folder / "wheel"
    source.mkdir(parents=True)
    packed = _git("archive", commit)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(source, filter="data")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (wheel,) = out.glob("*.whl")
    place = folder / "environment"
    venv.create(place, with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(place)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)  # noqa: S202 - our own wheel of a moment ago
    # What it stands on is the same; paths in such a file come behind the wheel's own folder.
    (packages / "below.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    python = place / "bin" / "python"
    _check(python, packages)
    return Release(commit[:12], python)


def _former_commit() -> str:
    """The parent of the last commit that changed the tables."""
    changed = _git("log", "-1", "--format=%H", "--", _MIGRATIONS).decode().strip()
    return _git("rev-parse", f"{changed}~1").decode().strip()


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, check=False, capture_output=True)
    if done.returncode != 0 or not done.stdout:
        raise NotRunError("a checkout with its history")
    return done.stdout


def _check(python: Path, packages: Path) -> None:
    """The former release is what gets imported there.

    Raises:
        RuntimeError: it is not.
    """
    ask = [str(python), "-P", "-c", "import hub; print(hub.__file__)"]
    found = subprocess.run(ask, check=True, capture_output=True, text=True, env={}).stdout
    if not found.startswith(str(packages)):
        raise RuntimeError(f"the former release is hidden by {found}")
