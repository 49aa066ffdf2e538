"""D05: ID numbers as departments really write them: made regular where safe, else refused."""

from __future__ import annotations

import random

from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.sendings import Sending, altered, refused, sending
from tests.faults.harness.sites import Site
from tests.faults.loads.facts import Move
from tests.faults.loads.people import check_character

CASE = Case(
    "D05",
    "证件号码的各种写法与差错",
    "ID numbers in all spellings and with all errors",
    quick=Scale(rounds=25, load=Load(rate=0), recovery=None),
    full=Scale("full", rounds=5000, load=Load(rate=0), recovery=None),
    ci=True,
    workers=1,
    connectors=("civil-affairs", "hrss"),
    sabotages=("dead_letter_everything",),
)
_FIELD = "证件号码"
_WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Each round one person in good spellings, and errors of that person's number."""
    async with sending(site, dice.randrange(1, 4000)) as out:
        moves: list[Move] = []
        for _ in range(scale.rounds):
            moves += _spellings(out, dice)
            moves += _errors(out, dice)
        await out.send(moves, 300)
        site.notes["records"] = len(moves)


def _spellings(out: Sending, dice: random.Random) -> list[Move]:
    """Safe spellings: the person is who the number says."""
    found = []
    for spell in (
        lambda n: n.lower(),
        lambda n: n.translate(_WIDE),
        lambda n: f" {n[:6]} {n[6:14]} {n[14:]}\t",
        lambda n: f"'{n}",
    ):
        move = out.builder.job_lost(out.person())
        written = spell(move.fact.people[0])
        found.append(altered(move, {**move.record, _FIELD: written}))
    dice.shuffle(found)
    return found


def _errors(out: Sending, dice: random.Random) -> list[Move]:
    """Numbers of which no state can say whose they are."""
    found = []
    for code, spoil in (
        ("E-ID-CHECK", _digit),
        ("E-ID-CHECK", _digit),
        ("E-ID-CHECK", _swapped),
        ("E-ID-15", lambda n, _: n[:6] + n[8:17]),
        ("E-ID-LOST", lambda n, _: f"{n[0]}.{n[1:6]}E+17"),
        ("E-ID-LENGTH", lambda n, _: n[:16]),
        ("E-ID-FORM", lambda n, _: n[:16] + "A" + n[17]),
        ("E-ID-DATE", _unborn),
    ):
        move = out.builder.job_lost(out.person())
        wrong = spoil(move.fact.people[0], dice)
        # Zeros at the end are what a spreadsheet leaves of a long number.
        told = "E-ID-LOST" if code == "E-ID-CHECK" and wrong.endswith("000") else code
        found.append(refused(move, {**move.record, _FIELD: wrong}, told))
    return found


def _digit(number: str, dice: random.Random) -> str:
    """One of the first 17 digits is another one, and the number does not end in zeros."""
    place = dice.randrange(17)
    other = dice.choice([d for d in "123456789" if d != number[place]])
    return number[:place] + other + number[place + 1 :]


def _swapped(number: str, dice: random.Random) -> str:
    """Two neighbours changed places."""
    places = [n for n in range(16) if number[n] != number[n + 1]]
    at = dice.choice(places)
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def _unborn(number: str, _dice: random.Random) -> str:
    """A right check character over a birth in 2099."""
    digits = number[:6] + "2099" + number[10:17]
    return digits + check_character(digits)
