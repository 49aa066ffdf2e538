"""Runs: each one has a number, so that the story can be played again on kept data."""

from __future__ import annotations

from pathlib import Path

import msgspec

_NOTE = "run.json"


class RunNote(msgspec.Struct, frozen=True):
    """What a data folder remembers of its demonstrations.

    Attributes:
        number: Of the last run; people and record numbers of a run's story carry it.
        people: People of the city, as it was made at the first start.
        seed: Of that city.
        loaded: Whether the city's opening balance is on record.
        gateway: Address of the gateway while others may send records, else empty.
        exchange: DSN of the departments' database.
    """

    number: int
    people: int
    seed: int
    loaded: bool = False
    gateway: str = ""
    exchange: str = ""


def last_run(folder: Path) -> RunNote | None:
    """The note of a data folder; None: no demonstration was ever started there."""
    try:
        return msgspec.json.decode((folder / _NOTE).read_bytes(), type=RunNote)
    except FileNotFoundError:
        return None


def next_run(folder: Path, *, people: int, seed: int) -> RunNote:
    """Count one up; a city that exists keeps its people."""
    before = last_run(folder)
    if before is None:
        return keep(folder, RunNote(1, people, seed))
    return keep(folder, msgspec.structs.replace(before, number=before.number + 1, gateway=""))


def keep(folder: Path, note: RunNote) -> RunNote:
    """Write the note."""
    draft = folder / f"{_NOTE}.draft"
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.encode(note))
    draft.replace(folder / _NOTE)
    return note
