"""Where shipped data stands: ``topics/`` and ``schemas/`` in a checkout and in a wheel."""

from __future__ import annotations

from pathlib import Path

import hub
from hub.kernel.errors import ConfigurationError

PACKAGE = Path(hub.__file__).parent


def shipped(name: str) -> Path:
    """The folder of shipped data called ``topics`` or ``schemas``.

    A wheel carries it inside the package; a checkout has it beside the package.

    Raises:
        ConfigurationError: neither is there, so the installation is broken.
    """
    for folder in (PACKAGE / "_data" / name, PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise ConfigurationError(
        f"The folder '{name}' is missing.",
        hint="Install the package again, or use a full checkout.",
    )
