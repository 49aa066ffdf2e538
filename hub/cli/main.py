"""Entry point ``hub``: help without loading anything, one verb's file, errors for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from hub.cli.languages import both, wanted
from hub.cli.verbs import VERBS, command_of, known
from hub.kernel.errors import ConfigurationError, DataError, HubError

_HELP = {"-h", "--help", "help"}
_INTERRUPTED = 130
_PIPE_CLOSED = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Words after ``hub``; None: those of this process.

    Returns:
        Exit code: 0 well, 1 problem, 2 wrong use or configuration, 130 after Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has gone; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _run(words: list[str]) -> int:
    if not words or words[0] in _HELP:
        print(overview())  # noqa: T201 - the help is what was asked for
        return 0
    if words[0] in {"-V", "--version"}:
        from importlib.metadata import version

        print(f"assistance-hub {version('assistance-hub')}")  # noqa: T201 - as above
        return 0
    try:
        _command(words)
    except HubError as error:
        return _tell(error, error.exit_code)
    except DataError as error:
        return _tell(_readable(error), 1)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _command(words: list[str]) -> None:
    verb = known(words[0])
    if verb is None:
        raise ConfigurationError(
            f"There is no command '{words[0]}'.",
            hint="'hub --help' lists them.",
            message_zh=f"没有命令 {words[0]}。",
        )
    command_of(verb)(args=words[1:], prog_name=f"hub {verb.name}")


def overview() -> str:
    """The help: every verb with one sentence per language."""
    zh, en = wanted()
    width = max(len(verb.name) for verb in VERBS) + 2
    lines = [
        both("社会救助数据与流程枢纽", "An integration hub for social assistance"),
        "",
        both("用法", "Usage") + ": hub COMMAND [OPTIONS]   hub COMMAND --help",
        "",
    ]
    for verb in VERBS:
        texts = [verb.zh] * zh + [verb.en] * en
        lines.append(f"  {verb.name:<{width}}{texts[0]}")
        lines += [f"  {'':<{width}}{text}" for text in texts[1:]]
    return "\n".join(lines)


def _readable(error: DataError) -> HubError:
    from hub.kernel.reasons import CODES

    reason = CODES.get(error.code)
    if reason is None:
        return HubError(str(error))
    return HubError(f"{error}: {reason.en}", message_zh=f"{error.code}:{reason.zh}")


def _tell(error: HubError, code: int) -> int:
    if os.environ.get("HUB_DEBUG"):
        raise error
    zh, en = wanted()
    shown = sys.stderr
    if zh:
        print(f"错误:{error.message_zh}", file=shown)
    if en and (not zh or str(error) != error.message_zh):
        print(f"Error: {error}" if not zh else f"       {error}", file=shown)
    elif error.hint:
        print(f"       {error.hint}", file=shown)
    return code


def script() -> None:
    """What ``python -m hub.cli.main`` runs."""
    sys.exit(main())


if __name__ == "__main__":
    script()
