"""``python -m tests.faults.sabotaged NAME worker …``: the hub's command, broken on purpose."""

from __future__ import annotations

import sys

from hub.cli.main import main
from tests.faults.sabotages import SABOTAGES


def run(arguments: list[str]) -> None:
    """Break the hub in this process, then run its command.

    Raises:
        SystemExit: an unknown name, or the command's own exit code.
    """
    if not arguments or arguments[0] not in SABOTAGES:
        raise SystemExit(f"name one of: {', '.join(SABOTAGES)}")
    SABOTAGES[arguments[0]].apply()
    sys.argv = ["hub", *arguments[1:]]
    main()


if __name__ == "__main__":
    run(sys.argv[1:])
