"""The synthetic city is reproducible and nobody in it can exist."""

from datetime import date

from hub.embedded.city.households import Households
from hub.kernel.resident_ids import check, checked


def test_one_seed_draws_one_city():
    assert list(Households(7).draw(300)) == list(Households(7).draw(300))


def test_every_id_number_is_synthetic_valid_and_unique():
    people = [m.person for h in Households(3).draw(2000) for m in h.members]
    numbers = [p.id_number for p in people]
    assert len(set(numbers)) == len(numbers)
    for person in people:
        assert person.id_number.startswith("99")
        assert checked(person.id_number, synthetic=True) == person.id_number
        known = check(person.id_number, recorded=date(2025, 1, 2), synthetic=True)
        assert known.birth == person.birth


def test_the_city_has_everything_the_programs_need():
    city = list(Households(1).draw(6000))
    covered = [h for h in city if h.category]
    assert 0.02 < len(covered) / len(city) < 0.09
    assert {h.category for h in covered} == {"DIBAO", "TEKUN"}
    assert any(h.danger in "CD" for h in covered)
    assert any(h.pupils for h in covered)
    assert len({h.meter for h in city}) == len(city)
