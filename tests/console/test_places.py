"""The navigation: each key leads to one page."""

from __future__ import annotations

from hub.console.places import NAVIGATION


def test_no_two_pages_share_a_key_or_an_address() -> None:
    places = [place for group in NAVIGATION for place in group.places]
    assert len({place.key for place in places}) == len(places)
    assert len({place.path for place in places}) == len(places)
