"""Conditions that an office changes: CEL expressions, type-checked when the profile is loaded.

CEL answers errors as values, so every answer's type is looked at. Lengths count characters of
text as CEL does. Money goes in as fen (int), dates as days since 1970-01-01 (int).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cel_expr_python import cel

from hub.kernel.errors import ConfigurationError

TYPES = {
    "string": cel.Type.STRING,
    "int": cel.Type.INT,
    "bool": cel.Type.BOOL,
    "strings": cel.Type.List(cel.Type.STRING),
}
"""Types a variable may be declared with."""

_KEPT = 4096


class RuleError(Exception):
    """A condition gave no yes or no; it stands for a profile that must be mended."""


class Condition:
    """One compiled condition; answers are kept for the values already asked about."""

    __slots__ = ("_expression", "_known", "_names", "text")

    def __init__(self, text: str, expression: Any, names: tuple[str, ...]) -> None:
        self.text = text
        self._expression = expression
        self._names = names
        self._known: dict[tuple[Any, ...], bool] = {}

    def __call__(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds.

        Args:
            values: Every declared variable.

        Raises:
            RuleError: CEL answered an error value.
            KeyError: a declared variable is missing.
        """
        asked = tuple([_hashable(values[name]) for name in self._names])
        known = self._known.get(asked)
        if known is None:
            known = self._eval({name: values[name] for name in self._names})
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[asked] = known
        return known

    def _eval(self, values: dict[str, Any]) -> bool:
        answer = self._expression.eval(data=values)
        if answer.type() != cel.Type.BOOL:
            raise RuleError(f"{self.text}: {answer.value()}")
        return bool(answer.value())


class RuleEngine:
    """Compiles conditions over one set of typed variables.

    Args:
        variables: Name → one of :data:`TYPES`.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = dict(variables)
        self._env = cel.NewEnv(variables={name: TYPES[kind] for name, kind in variables.items()})

    def compile(self, text: str, where: str) -> Condition:
        """A condition, checked.

        Args:
            text: The expression.
            where: File and rule, for the message.

        Raises:
            ConfigurationError: it does not compile, or its result is not yes or no.
        """
        try:
            expression = self._env.compile(text)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise _refused(where, text, reason) from error
        if expression.return_type() != cel.Type.BOOL:
            kind = expression.return_type().name()
            raise _refused(where, text, f"the result is {kind}, not BOOL")
        names = tuple(name for name in self.variables if name in text)
        return Condition(text, expression, names)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _refused(where: str, text: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where}: the condition {text!r} cannot be used: {reason}.",
        hint="Mend the expression in the profile.",
        message_zh=f"{where}:条件 {text!r} 无法使用({reason}),请修改辖区配置。",
    )
