"""Jars: the files Apache Kafka runs from, each verified against a committed SHA-256 list.

``jars.lock`` beside this module names every file, its sum and its Maven coordinate, and no
address. Java is never started with a file whose sum differs. Jars stand in a per-user cache, so
a second checkout needs no network; a folder named by ``HUB_BUNDLE`` serves machines without one.

``python -m hub.embedded.jars lock`` resolves the dependency graph again and rewrites the list;
``python -m hub.embedded.jars bundle FOLDER`` fills a folder for use offline.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from hub.embedded.repositories import UnavailableError, download, resolve_graph
from hub.kernel.errors import HubError

LOCK = Path(__file__).with_name("jars.lock")
ROOTS = "org.apache.kafka:kafka_2.13:4.3.1+org.slf4j:slf4j-simple:1.7.36"
"""What the list is resolved from: the broker, and the logging binding its POM leaves out."""

_FETCHERS = 8
_STALE = 3600.0
_HEADER = (
    "# Files of the embedded Apache Kafka: SHA-256, file name, Maven coordinate.\n"
    "# Written by: python -m hub.embedded.jars lock\n"
)


class Jar(NamedTuple):
    """One line of the list: 64 hexadecimal digits, file name, ``group:artifact:version``."""

    sha256: str
    file: str
    coordinate: str


@cache
def locked() -> tuple[Jar, ...]:
    """The committed list, in class-path order."""
    lines = LOCK.read_text(encoding="ascii").splitlines()
    return tuple(Jar(*line.split()) for line in lines if line and not line.startswith("#"))


def cache_folder() -> Path:
    """The per-user folder of jars and class archives; honours ``XDG_CACHE_HOME``."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "assistance-hub" / "jars"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unverified(folder: Path, jars: Iterable[Jar]) -> list[Jar]:
    """Those jars that the folder lacks or holds with another sum.

    Every byte is hashed at every start: 45 MB take less time than a stamp would be worth.
    """

    def bad(jar: Jar) -> bool:
        try:
            return sha256_of(folder / jar.file) != jar.sha256
        except FileNotFoundError:
            return True

    every = list(jars)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(bad, every))
    return [jar for jar, wrong in zip(every, verdicts, strict=True) if wrong]


def ensure(
    *,
    folder: Path | None = None,
    bundle: Path | None = None,
    mirror: str = "",
    jars: Iterable[Jar] | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Make every jar of the list present and verified.

    Args:
        folder: The cache; by default :func:`cache_folder`.
        bundle: A folder that holds the jars. When given, the network is not used at all.
        mirror: Base address of a Maven repository used instead of Central.
        jars: The list; by default the committed one.
        tell: Receives ``(verified, total)`` while files are fetched, from any thread.

    Returns:
        The class path, in the order of the list.

    Raises:
        HubError: a file cannot be had, or has the wrong sum twice; the text names the file and
            the folder to put it into.
    """
    every = tuple(jars) if jars is not None else locked()
    target = folder or cache_folder()
    target.mkdir(parents=True, exist_ok=True)
    missing = unverified(target, every)
    if missing:
        _sweep(target)
        source = partial(_from_bundle, bundle) if bundle else partial(_from_maven, mirror)
        have = len(every) - len(missing)
        with ThreadPoolExecutor(_FETCHERS) as pool:
            for _ in pool.map(partial(_obtain, target, source), missing):
                have += 1
                if tell:
                    tell(have, len(every))
    return [target / jar.file for jar in every]


Source = Callable[[Jar, Path], Path]
"""Puts one jar into an empty folder and returns its path; raises HubError when it cannot."""


def _obtain(target: Path, source: Source, jar: Jar) -> None:
    (target / jar.file).unlink(missing_ok=True)
    for _attempt in range(2):
        # A file appears under its name only when it is whole and right: two checkouts may do
        # this at once, and a cut download leaves nothing behind that Java could load.
        with tempfile.TemporaryDirectory(dir=target, prefix=".fetch-") as scratch:
            path = source(jar, Path(scratch))
            if sha256_of(path) == jar.sha256:
                path.replace(target / jar.file)
                return
    raise HubError(
        f"{jar.file} has the wrong SHA-256 sum, twice; it was deleted and Java not started.",
        hint=f"Expected {jar.sha256}. Put the right file into {target}, or mend the source.",
        message_zh=f"{jar.file} 的 SHA-256 校验两次不符,已删除,未启动 Java。"
        f"请把正确的文件放入 {target},或检查来源(HUB_BUNDLE、HUB_MAVEN_MIRROR)。",
    )


def _from_bundle(bundle: Path, jar: Jar, scratch: Path) -> Path:
    try:
        return Path(shutil.copyfile(bundle / jar.file, scratch / jar.file))
    except OSError as error:
        raise HubError(
            f"{jar.file} is missing from the bundle ({error.strerror}).",
            hint=f"Put {jar.file} into {bundle} (HUB_BUNDLE), or unset HUB_BUNDLE to fetch it.",
            message_zh=f"离线文件夹中缺少 {jar.file}。请放入 {bundle}(HUB_BUNDLE),"
            "或取消 HUB_BUNDLE 以联网获取。",
        ) from error


def _from_maven(mirror: str, jar: Jar, scratch: Path) -> Path:
    try:
        return download(jar.coordinate, scratch, mirror=mirror)
    except UnavailableError as error:
        raise HubError(
            f"{jar.file} could not be fetched ({error}).",
            hint=f"Check the network, set HUB_MAVEN_MIRROR, or put the file into {scratch.parent}"
            " or a folder named by HUB_BUNDLE.",
            message_zh=f"无法获取 {jar.file}。请检查网络,或设置 HUB_MAVEN_MIRROR;"
            f"也可把该文件放入 {scratch.parent},或放入 HUB_BUNDLE 指定的文件夹。",
        ) from error


def _sweep(target: Path) -> None:
    """Remove what fetches killed an hour ago or more left behind."""
    for scratch in target.glob(".fetch-*"):
        if time.time() - scratch.stat().st_mtime > _STALE:
            shutil.rmtree(scratch, ignore_errors=True)


def write_lock(mirror: str = "") -> int:
    """Resolve the graph from :data:`ROOTS`, hash every file, rewrite the list.

    Returns:
        How many jars the list now names.
    """
    with tempfile.TemporaryDirectory() as scratch:
        found = resolve_graph(ROOTS, Path(scratch), mirror=mirror)
        lines = [f"{sha256_of(path)}  {path.name}  {name}\n" for name, path in found]
    LOCK.write_text(_HEADER + "".join(lines), encoding="ascii")
    locked.cache_clear()
    return len(lines)


def main(arguments: list[str]) -> int:
    """Run ``lock``, or ``bundle FOLDER``; returns the exit code."""
    mirror = os.environ.get("HUB_MAVEN_MIRROR", "")
    match arguments:
        case ["lock"]:
            said = f"{write_lock(mirror)} jars -> {LOCK}"
        case ["bundle", folder]:
            said = f"{len(ensure(folder=Path(folder), mirror=mirror))} jars -> {folder}"
        case _:
            sys.stderr.write("python -m hub.embedded.jars lock | bundle FOLDER\n")
            return 2
    sys.stdout.write(said + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
