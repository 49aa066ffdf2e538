"""The five ways a department shares an item, each with its options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from hub.sdk.durations import duration_ms


class Way(StrEnum):
    """How the records come."""

    VIEW = "view"
    FILE = "file"
    REST = "rest"
    QUEUE = "queue"
    MANUAL = "manual"


def _duration(text: str) -> str:
    duration_ms(text)
    return text


Duration = Annotated[str, AfterValidator(_duration)]
"""ISO 8601 duration, kept as text."""
Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """A part of a manifest: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ViewOptions(Strict):
    """A table or view on the department's exchange database, polled."""

    table: Text
    """Table or view, with its schema if need be."""
    key: list[Text] = Field(min_length=1)
    """Columns that tell rows apart; also the tie-break of the order."""
    order: Text
    """Column that grows with every insert and update."""
    order_kind: Literal["timestamp", "sequence"]
    overlap: Text
    """How far each poll reads back: a duration (timestamp) or a count (sequence), at least the
    department's longest transaction."""
    every: Duration = "PT1M"
    """Pause between polls."""
    sweep: Duration = "P1D"
    """How often all keys are compared, to find late commits and deletions."""
    page: int = Field(1000, ge=1, le=100_000)
    """Rows of one read."""
    deletions: Literal["ignore", "annul"] = "ignore"
    """``annul``: a row that vanished is sent as its key with ``__deleted``; ``ignore``: it is
    not, as where departments archive old rows."""

    @model_validator(mode="after")
    def _overlap_fits(self) -> ViewOptions:
        if self.order_kind == "timestamp":
            duration_ms(self.overlap)
        elif not self.overlap.isdigit():
            raise ValueError("overlap counts rows where order_kind is sequence")
        return self

    @property
    def overlap_ms(self) -> int:
        """Overlap in ms; 0 where the order is a sequence."""
        return duration_ms(self.overlap) if self.order_kind == "timestamp" else 0

    @property
    def overlap_rows(self) -> int:
        """Overlap in numbers of the sequence; 0 where the order is a timestamp."""
        return int(self.overlap) if self.order_kind == "sequence" else 0


class FileOptions(Strict):
    """CSV or XLSX files dropped into a folder."""

    pattern: Text
    """Pattern of file names, e.g. ``名单*.csv``; the suffix tells the format."""
    encodings: list[Text] = Field(default=["utf-8-sig", "gb18030"], min_length=1)
    """Tried in this order for CSV."""
    header_row: int = Field(1, ge=1)
    """Row with the column names, from 1."""
    sheet: str = ""
    """Sheet of a workbook; empty: the first."""
    columns: dict[Text, list[Text]] = Field(min_length=1)
    """Name in the record → other headings that mean the same. Other columns are left out."""
    optional: list[Text] = []
    """Columns that may be missing from a file; all others must be there."""

    @model_validator(mode="after")
    def _headings_differ(self) -> FileOptions:
        headings = [name for names in self.columns.items() for name in (names[0], *names[1])]
        double = {name for name in headings if headings.count(name) > 1}
        if double:
            raise ValueError(f"heading stands for two columns: {', '.join(sorted(double))}")
        unknown = set(self.optional) - set(self.columns)
        if unknown:
            raise ValueError(f"optional names no column: {', '.join(sorted(unknown))}")
        return self

    def headings(self) -> dict[str, str]:
        """Every heading → name in the record."""
        return {
            heading: name for name, others in self.columns.items() for heading in (name, *others)
        }

    @property
    def required(self) -> frozenset[str]:
        """Columns that every file has."""
        return frozenset(self.columns) - set(self.optional)


class RestOptions(Strict):
    """The department calls the gateway, one record per request."""

    path: str = Field(pattern=r"/[a-z0-9][a-z0-9/-]*")
    """Path below the gateway's address of the department."""


class QueueOptions(Strict):
    """A topic of the department's own, re-keyed at the edge."""

    topic: str = Field(pattern=r"[a-zA-Z0-9._-]+")
    """Topic the department writes."""
    group: str = ""
    """Consumer group; empty: derived from the item."""


class FormField(Strict):
    """One input of a form."""

    name: Text
    """Key in the record."""
    zh: Text
    en: Text
    kind: Literal["text", "note", "date", "month", "choice", "id_number", "number"] = "text"
    required: bool = True
    choices: dict[str, str] = {}
    """Value → label in Chinese and English, ``/`` between."""

    @model_validator(mode="after")
    def _choices_fit(self) -> FormField:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("choices stand with kind: choice and only there")
        return self


class ManualOptions(Strict):
    """A form on the screen or the app."""

    form: list[FormField] = Field(min_length=1)


Options = ViewOptions | FileOptions | RestOptions | QueueOptions | ManualOptions
