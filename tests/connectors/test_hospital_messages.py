"""Hospital messages: what they undo, and deaths that are reported by a discharge."""

import msgspec

from connectors.hospital.mappings import Request, encounter
from hub.kernel.event_ids import EventIds

HEADER = {
    "fixmedins_code": "H1",
    "msgid": "m1",
    "inf_time": "2025-03-09 10:00:00",
    "certno": "99068219520101103X",
    "psn_name": "王建国",
}


def observations(infno, content, **header):
    return encounter(
        msgspec.convert({**HEADER, **header, "infno": infno, "input": content}, Request)
    )


def discharge(**fields):
    part = {"mdtrt_id": "M1", "endtime": "2025-03-09 09:30:00", **fields}
    return observations("2402", {"dscginfo": part})


def test_a_discharge_by_death_reports_the_death():
    left, died = discharge(dscg_way="5")
    assert (left.type, died.type) == ("health.discharged", "person.died")
    assert died.groups["life"]["died_on"] == left.groups["stay"]["discharged_on"]


def test_a_date_of_death_reports_the_death_whatever_the_way_of_leaving():
    _, died = discharge(dscg_way="9", die_date="2025-03-08")
    assert died.effective is None
    assert died.groups["life"]["sources"] == ["hospital"]


def test_a_cancelled_discharge_takes_back_discharge_and_death():
    left, died = discharge(dscg_way="5")
    undone, retracted = observations("2405", {"data": {"mdtrt_id": "M1"}}, certno=None)
    assert undone.replaces == (left.record_key, left.type, left.version)
    assert retracted.type == "person.death_retracted"
    assert retracted.replaces == (died.record_key, died.type, died.version)


def test_a_message_sent_again_under_another_number_is_the_same_fact():
    (one,) = observations("2401", admission(), msgid="m1")
    (two,) = observations("2401", admission(), msgid="m2", inf_time="2025-03-10 10:00:00")
    ids = EventIds("/gov/320682/hospital")
    assert ids.of(one.record_key, one.type, one.version) == ids.of(
        two.record_key, two.type, two.version
    )


def test_corrections_and_cancellations_name_the_first_admission():
    (first,) = observations("2401", admission())
    (corrected,) = observations("2403", admission())
    (cancelled,) = observations("2404", {"data": {"mdtrt_id": "M1"}})
    original = (first.record_key, first.type, first.version)
    assert corrected.replaces == cancelled.replaces == original
    assert len({first.version, corrected.version, cancelled.version}) == 3


def admission():
    return {"mdtrtinfo": {"mdtrt_id": "M1", "begntime": "2025-03-01 08:00:00"}}
