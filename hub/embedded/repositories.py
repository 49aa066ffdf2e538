"""Repositories: jars by Maven coordinate, through the resolver layer of jgo.

Only that layer is used: the layers above it choose a Java of their own and may fetch one. A
mirror replaces the entry ``central`` by name, as every other entry would be asked besides it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

_TIMEOUT = 60


class UnavailableError(Exception):
    """A file could not be had from the repository; the text says why, without its address."""


def _context(cache: Path, mirror: str) -> Any:
    from jgo.maven import MavenContext

    remotes = {"central": mirror.rstrip("/")} if mirror else None
    return MavenContext(repo_cache=cache, remote_repos=remotes, timeout=_TIMEOUT)


def download(coordinate: str, cache: Path, *, mirror: str = "") -> Path:
    """Fetch the jar of one ``group:artifact:version``, without its dependencies.

    Args:
        coordinate: Three parts with colons between.
        cache: An empty folder; the library writes into it without care for cuts.
        mirror: Base address used instead of Central.

    Returns:
        The path of the jar below ``cache``; its sum is not verified here.

    Raises:
        UnavailableError: the repository cannot be reached or does not have it.
    """
    group, artifact, version = coordinate.split(":")
    context = _context(cache, mirror)
    try:
        path = context.project(group, artifact).at_version(version).artifact().resolve()
    except OSError as error:  # every error of the HTTP library is one
        raise UnavailableError(type(error).__name__) from error
    except RuntimeError as error:
        raise UnavailableError("not in the repository") from error
    return Path(path)


def resolve_graph(roots: str, cache: Path, *, mirror: str = "") -> list[tuple[str, Path]]:
    """Resolve coordinates and everything they need at run time; seconds, and many requests.

    Args:
        roots: Coordinates with ``+`` between.
        cache: A folder for POMs and jars.
        mirror: Base address used instead of Central.

    Returns:
        Pairs of ``group:artifact:version`` and jar, roots first, then by coordinate.
    """
    from jgo.parse import Endpoint

    context = _context(cache, mirror)
    wanted = [
        context.create_dependency(replace(coordinate, scope="compile"))
        for coordinate in Endpoint.parse(roots).coordinates
    ]
    inputs, needed = context.resolver.resolve(wanted)
    every = [*inputs, *sorted(needed, key=str)]
    return [(f"{d.groupId}:{d.artifactId}:{d.version}", Path(d.artifact.resolve())) for d in every]
