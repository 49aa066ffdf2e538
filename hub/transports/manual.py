"""Forms of a manifest: what a screen or an app asks, and the record that the answers make."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple

import orjson

from hub.kernel import dates, resident_ids
from hub.kernel.errors import ConfigurationError, DataError
from hub.kernel.reasons import CODES
from hub.kernel.texts import fold
from hub.sdk.manifests import Item
from hub.sdk.ways import FormField, ManualOptions

MAX_TEXT = 2000
"""Characters of one answer."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


class Choice(NamedTuple):
    """One answer to choose."""

    value: str
    zh: str
    en: str


class Input(NamedTuple):
    """One question.

    Attributes:
        kind: ``text``, ``note`` (several lines), ``date``, ``month``, ``choice``,
            ``id_number`` or ``number``.
        choices: Where ``kind`` is ``choice``.
    """

    name: str
    zh: str
    en: str
    kind: str
    required: bool
    choices: tuple[Choice, ...] = ()


class Form(NamedTuple):
    """A form; ``missing_keys`` are key fields that it does not ask and its number fills."""

    item: str
    zh: str
    en: str
    inputs: tuple[Input, ...]
    missing_keys: tuple[str, ...]


class Finding(NamedTuple):
    """What is wrong with one answer, for the screen."""

    name: str
    code: str
    zh: str
    en: str


class FormRefused(Exception):  # noqa: N818 - the form is not an error of the program
    """Answers to correct.

    Args:
        findings: All of them, in the order of the form.
    """

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(", ".join(f"{finding.name} {finding.code}" for finding in findings))
        self.findings = findings


def form_of(item: Item) -> Form:
    """The form of an item that departments fill in by hand.

    Raises:
        ConfigurationError: the item has no form.
    """
    if item.manual is None:
        raise ConfigurationError(
            f"The item {item.id} has no form.",
            hint="Add 'manual' to its ways in the manifest.",
            message_zh=f"数据项 {item.id} 没有表单,请在清单的 ways 中加入 manual。",
        )
    names = {field.name for field in item.manual.form}
    missing = tuple(key for key in item.key if key not in names)
    return Form(item.id, item.zh, item.en, _inputs(item.manual), missing)


def _inputs(options: ManualOptions) -> tuple[Input, ...]:
    return tuple(
        Input(field.name, field.zh, field.en, field.kind, field.required, _choices(field))
        for field in options.form
    )


def _choices(field: FormField) -> tuple[Choice, ...]:
    parts = ((value, label.partition("/")) for value, label in field.choices.items())
    return tuple(Choice(value, zh.strip(), (en or zh).strip()) for value, (zh, _, en) in parts)


def body_of(form: Form, answers: Mapping[str, str], number: str, *, synthetic: bool) -> bytes:
    """The body of the record that a filled form makes.

    Args:
        form: The questions.
        answers: Text by name of the question, as a browser sends it; others are left out.
        number: Number of this form, made when it was opened: sending it twice is one record.
        synthetic: Whether invented people (prefix 99) are accepted.

    Raises:
        FormRefused: with every answer to correct.
    """
    row: dict[str, str | None] = dict.fromkeys(form.missing_keys, number)
    findings = []
    for asked in form.inputs:
        try:
            row[asked.name] = _answer(asked, answers.get(asked.name, ""), synthetic=synthetic)
        except DataError as error:
            reason = CODES[error.code]
            findings.append(Finding(asked.name, error.code, reason.zh, reason.en))
    if findings:
        raise FormRefused(tuple(findings))
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


def _answer(asked: Input, text: str, *, synthetic: bool) -> str | None:
    plain = text.strip() if asked.kind == "note" else fold(text)
    if not plain:
        if asked.required:
            raise DataError("E-FIELD-MISSING", asked.name)
        return None
    if len(plain) > MAX_TEXT:
        raise DataError("E-FIELD-TYPE", asked.name, "too long")
    if asked.kind == "id_number":
        return _id_number(plain, synthetic=synthetic)
    if asked.kind == "choice" and plain not in {choice.value for choice in asked.choices}:
        raise DataError("E-CODE-UNKNOWN", asked.name)
    return _CHECKS.get(asked.kind, str)(plain)


def _id_number(text: str, *, synthetic: bool) -> str:
    try:
        return resident_ids.check(text, recorded=None, synthetic=synthetic).number
    except DataError as error:
        # Fifteen digits are judged where known people are at hand.
        if error.code != "E-ID-15":
            raise
        return resident_ids.normalise(text)


def _date(text: str) -> str:
    found: date = dates.parse(text)
    return found.isoformat()


def _month(text: str) -> str:
    if not _MONTH.fullmatch(text):
        raise DataError("E-DATE")
    return text


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise DataError("E-FIELD-TYPE")
    return text


_CHECKS: dict[str, Callable[[str], str]] = {"date": _date, "month": _month, "number": _number}
