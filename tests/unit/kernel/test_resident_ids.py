"""ID numbers: every vector, both ways in, and what the check character promises."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.kernel import resident_ids
from hub.kernel.errors import DataError
from hub.kernel.resident_ids import Holder, Sex, check, checked, from_fifteen, normalise

RECORDED = date(2026, 7, 1)
LATEST = "20260701"

GOOD = [
    ("11010519491231002X", Sex.FEMALE, Holder.CITIZEN, ()),
    ("440524188001010014", Sex.MALE, Holder.CITIZEN, ("age_implausible",)),
    ("34052419800101001X", Sex.MALE, Holder.CITIZEN, ()),
    ("330113199001010011", Sex.MALE, Holder.CITIZEN, ()),
    ("810000199101012345", Sex.FEMALE, Holder.PERMIT, ()),
    ("820000198802290038", Sex.MALE, Holder.PERMIT, ()),
    ("830000199101012349", Sex.FEMALE, Holder.PERMIT, ()),
    ("91184019850101001X", Sex.MALE, Holder.FOREIGNER, ()),
    ("99068219520101103X", Sex.MALE, Holder.SYNTHETIC, ()),
    ("990682195201011048", Sex.FEMALE, Holder.SYNTHETIC, ()),
    ("99000020260630002X", Sex.FEMALE, Holder.SYNTHETIC, ()),
]
SPELLINGS = [
    "11010519491231002x",
    "１１０１０５１９４９１２３１００２Ｘ",
    "１１０１０５１９４９１２３１００２ｘ",
    " 11010519491231002X\t",
    "110105 19491231 002X",
    "110105\u300019491231\u00a0002X",
    "110105\u200b19491231002X\ufeff",
    "'11010519491231002X",
    "’11010519491231002X",
    " '11010519491231002X",
]
BAD = [
    ("110105194912310021", "E-ID-CHECK"),
    ("110105194912310020", "E-ID-CHECK"),
    ("10110519491231002X", "E-ID-CHECK"),
    ("445024188001010014", "E-ID-CHECK"),
    ("440524188010010014", "E-ID-CHECK"),
    ("440524188001010041", "E-ID-CHECK"),
    ("11010519491321002X", "E-ID-CHECK"),
    ("110105194902300020", "E-ID-DATE"),
    ("110105209901010012", "E-ID-DATE"),
    ("3.20682E+17", "E-ID-LOST"),
    ("3.20682e+17", "E-ID-LOST"),
    ("3.20682199001010E+17", "E-ID-LOST"),
    ("320682199001010000", "E-ID-LOST"),
    ("320682199001010000.0", "E-ID-LOST"),
    ("110105491231002", "E-ID-15"),
    ("", "E-ID-LENGTH"),
    ("1101051949123100", "E-ID-LENGTH"),
    ("11010519491231002X1", "E-ID-LENGTH"),
    ("1101051949123100 2", "E-ID-LENGTH"),
    ("1101051949123100AX", "E-ID-FORM"),
    ("X1010519491231002X", "E-ID-FORM"),
    ("11010519491231002Х", "E-ID-FORM"),  # a Cyrillic letter
    ("1101051949123100²X", "E-ID-FORM"),
    ("1101051949123100٢X", "E-ID-FORM"),
    ("ABC123456789012", "E-ID-FORM"),
]


def code_of(call, *args, **kwargs):
    with pytest.raises(DataError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def completed(digits):
    return digits + resident_ids.check_character(digits)


synthetic_numbers = st.builds(
    lambda area, day, order: completed(f"99{area:04}{day:%Y%m%d}{order:03}"),
    st.integers(0, 9999),
    st.dates(date(1900, 1, 1), date(2026, 1, 1)),
    st.integers(0, 999),
)


@pytest.mark.parametrize(("number", "sex", "kind", "warnings"), GOOD)
def test_a_right_number_is_explained(number, sex, kind, warnings):
    found = check(number, recorded=RECORDED, synthetic=True)
    assert found == (
        number,
        date(int(number[6:10]), int(number[10:12]), int(number[12:14])),
        sex,
        kind,
        warnings,
    )
    assert checked(number, synthetic=True, latest=LATEST) == number
    assert checked(number, synthetic=True, latest=LATEST) == number, (
        "the second time it takes the short way"
    )


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_spelling_of_a_number_is_the_same_number(text):
    assert normalise(text) == "11010519491231002X"
    assert check(text, recorded=RECORDED, synthetic=False).number == "11010519491231002X"
    assert checked(text, synthetic=False) == "11010519491231002X"


@pytest.mark.parametrize(("text", "code"), BAD)
def test_a_wrong_number_is_refused_with_its_own_code(text, code):
    assert code_of(check, text, recorded=RECORDED, synthetic=True) == code
    assert code_of(checked, text, synthetic=True, latest=LATEST) == code


@pytest.mark.parametrize(
    "prefix", ["00", "01", "10", "16", "24", "38", "60", "70", "80", "84", "90", "98"]
)
def test_a_prefix_that_nobody_holds_is_refused(prefix):
    number = completed(f"{prefix}010519900101001")
    assert code_of(check, number, recorded=RECORDED, synthetic=True) == "E-ID-FORM"
    assert code_of(checked, number, synthetic=True) == "E-ID-FORM"


@pytest.mark.parametrize("area", ["810001", "820100", "831000"])
def test_a_permit_has_only_zeros_after_its_region(area):
    assert code_of(checked, completed(f"{area}19900101001"), synthetic=True) == "E-ID-FORM"


def test_invented_people_are_refused_unless_they_are_allowed():
    number = "99068219520101103X"
    checked(number, synthetic=True)
    assert code_of(checked, number, synthetic=False) == "E-ID-SYNTHETIC"
    assert code_of(check, number, recorded=None, synthetic=False) == "E-ID-SYNTHETIC"


def test_the_future_is_judged_against_the_record_date_only():
    number = "110105209901010012"
    assert check(number, recorded=None, synthetic=False).birth == date(2099, 1, 1)
    assert check(number, recorded=date(2099, 1, 1), synthetic=False).birth == date(2099, 1, 1)
    assert checked(number, synthetic=False, latest="20990101") == number
    assert code_of(checked, number, synthetic=False, latest="20981231") == "E-ID-DATE"


def test_an_unknown_county_is_a_warning():
    found = check(
        "330113199001010011", recorded=RECORDED, synthetic=False, known_area=set().__contains__
    )
    assert found.warnings == ("area_unknown",)


def test_a_right_number_that_ends_in_three_zeros_is_kept_with_a_warning():
    number = next(
        number
        for day in range(1, 28)
        for number in [completed(f"990682199001{day:02}100")]
        if number.endswith("0")
    )
    assert check(number, recorded=RECORDED, synthetic=True).warnings == ("maybe_rounded",)


def test_fifteen_digits_give_a_candidate():
    assert from_fifteen("110105491231002") == "11010519491231002X"
    assert from_fifteen(" １10105491231002") == "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("110105491231997", "E-ID-15"),
        ("11010549123100", "E-ID-15"),
        ("11010549123100X", "E-ID-15"),
        ("110105490230002", "E-ID-DATE"),
        ("990105490228002", "E-ID-FORM"),
    ],
)
def test_fifteen_digits_that_cannot_be_converted_are_refused(text, code):
    assert code_of(from_fifteen, text) == code


@given(synthetic_numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_every_single_wrong_character_is_caught(number, place, other):
    if number[place] == other:
        return
    wrong = number[:place] + other + number[place + 1 :]
    assert code_of(check, wrong, recorded=None, synthetic=True) in {
        "E-ID-CHECK",
        "E-ID-FORM",
        "E-ID-LOST",
    }
    code_of(checked, wrong, synthetic=True)


@given(synthetic_numbers, st.integers(0, 16))
def test_every_swap_of_neighbours_is_caught(number, place):
    wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if wrong == number:
        return
    assert code_of(check, wrong, recorded=None, synthetic=True) in {
        "E-ID-CHECK",
        "E-ID-FORM",
        "E-ID-LOST",
    }
    code_of(checked, wrong, synthetic=True)


def outcome(call):
    try:
        return call()
    except DataError as error:
        return error.code


@example("990861204201036326", False)  # noqa: FBT003 - not born yet, and invented
@given(
    st.one_of(
        synthetic_numbers,
        st.from_regex(r"[1-9][0-9]{5}(19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9X]", fullmatch=True),
        st.integers(10**16, 10**17 - 1).map(lambda value: completed(str(value))),
        st.text(max_size=20),
    ),
    st.booleans(),
)
def test_the_fast_way_judges_as_the_full_one(text, synthetic):
    full = outcome(lambda: check(text, recorded=RECORDED, synthetic=synthetic).number)
    assert outcome(lambda: checked(text, synthetic, LATEST)) == full
    assert outcome(lambda: checked(text, synthetic, LATEST)) == full


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once


def test_an_error_never_shows_the_number():
    with pytest.raises(DataError) as caught:
        check("110105194912310021", recorded=None, synthetic=False)
    assert "1101" not in str(caught.value)


def test_the_cache_of_birth_dates_is_bounded(monkeypatch):
    monkeypatch.setattr(resident_ids, "_BIRTHS", {})
    monkeypatch.setattr(resident_ids, "_BIRTHS_KEPT", 3)
    for day in range(1, 10):
        checked(completed(f"990682199001{day:02}001"), synthetic=True)
    assert len(resident_ids._BIRTHS) <= 3


def test_masks_leave_only_what_a_clerk_needs():
    assert resident_ids.display_mask("32068219520101002X") == "3206**********002X"
    assert resident_ids.display_mask("12345") == "*****"
    assert resident_ids.name_mask("张三") == resident_ids.name_mask("张三丰") == "张**"
    assert resident_ids.phone_mask("13812341234") == "138****1234"
    assert resident_ids.phone_mask("87654321") == "********"
