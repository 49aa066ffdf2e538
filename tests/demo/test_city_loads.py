"""What the city enters on an ordinary day: a silence is a department's and no draw's."""

from __future__ import annotations

import itertools
from datetime import date

from hub.cli.demos.consoles import promised
from hub.embedded.city.households import Households
from hub.embedded.city.loads import FED, LONGEST_GAP, Load
from hub.kernel.settings import Settings
from hub.sdk.manifests import load_manifests

TODAY = date(2026, 9, 1)


def load(kinds=()):
    return Load(list(Households(1, today=TODAY).draw(300)), 1, 1, TODAY, kinds)


def test_no_department_is_left_out_for_longer_than_the_gap():
    last = dict.fromkeys(FED, 0)
    # Several kinds may be due at once and come one after the other.
    longest = LONGEST_GAP + 10
    for number, entries in enumerate(itertools.islice(load().entries(), 2000), 1):
        for entry in entries:
            last[entry.connector, entry.item] = number
        assert all(number - at <= longest for at in last.values()), last


def test_a_load_of_chosen_kinds_has_no_other():
    found = {
        entry.connector
        for many in itertools.islice(load(("need",)).entries(), 50)
        for entry in many
    }
    assert found == {"village"}


def test_cadences_are_seconds_for_what_the_load_feeds_and_stay_for_the_rest():
    declared = load_manifests(Settings())
    found = promised(declared, 5.0)
    for name, one in found.items():
        for item in one.items:
            if (name, item.id) in FED:
                assert item.refresh.every_ms == 12_000
            else:
                assert item.refresh == declared[name].item(item.id).refresh
    assert promised(declared, 0) == declared
