"""The demonstration's story: what departments enter, and what must reach the programs.

Expectations stand beside each step and are written by hand, so the hub is judged by people's
reading of the rules and never by its own.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec

from hub.embedded.city import forms
from hub.embedded.city.casts import LOAD_FAMILIES, Cast
from hub.embedded.city.expectations import Expected as Gets
from hub.embedded.city.households import Household

Record = dict[str, Any]


class Entry(msgspec.Struct, frozen=True):
    """Records one department enters at once.

    Attributes:
        connector: Connector id.
        item: Item id.
        records: Rows, messages or bodies.
        way: One of the item's ways; empty: the usual one.
        raw: Bytes put on the department's own topic as they are.
        families: Families whose grant this is; the figures of latency are theirs.
    """

    connector: str
    item: str
    records: tuple[Record, ...] = ()
    way: str = ""
    raw: bytes = b""
    families: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """One moment of the story.

    Attributes:
        id: Short name.
        zh: What happens, Chinese.
        en: The same, English.
        entries: What is entered, in order.
        facts: Canonical facts that follow, by type.
        copies: What the programs receive.
        dead_letters: Codes of dead letters, each with its count.
        paced: Entries follow each other at a steady pace.
    """

    id: str
    zh: str
    en: str
    entries: tuple[Entry, ...]
    facts: dict[str, int]
    copies: tuple[Gets, ...] = ()
    dead_letters: dict[str, int] = {}
    paced: bool = False


def story(cast: Cast) -> tuple[Step, ...]:
    """All steps of one run."""
    return (
        _register(cast),
        *_grants(cast),
        *_admissions(cast),
        *_bills(cast),
        _school(cast),
        *_jobs(cast),
        _house(cast),
        _deaths(cast),
        _village(cast),
        *_list(cast),
        *_meter(cast),
        *_ends(cast),
        _poison(cast),
        _load(cast),
    )


def opening(cast: Cast) -> list[Household]:
    """Households of the story that are on roll before it begins."""
    return [family for family in cast.families.values() if family.category]


def known_pupils(cast: Cast) -> frozenset[str]:
    """Student numbers that the opening balance knows; a child of ``li`` enrols in the story."""
    return frozenset(pupil.student_no for pupil in cast.families["sun"].pupils)


def _before(cast: Cast, days: int) -> date:
    return cast.today - timedelta(days=days)


def _loaded() -> tuple[str, ...]:
    return tuple(f"load{place:02d}" for place in range(1, LOAD_FAMILIES + 1))


def _register(cast: Cast) -> Step:
    wang, wu = cast.families["wang"], cast.families["wu"]
    since = _before(cast, 30)
    unknown = forms.registration(wu, since)
    del unknown["meterAccount"]
    load = [cast.families[name] for name in _loaded()]
    rows = [forms.registration(family, since) for family in load]
    pupils = [family.pupils[0] for family in (wang, *load)]
    term = f"{since.year}-{since.year + 1}-{1 if since.month >= 8 else 2}"
    number = cast.number("WF", "wang")
    return Step(
        "register",
        "登记困难家庭、学籍、危房、电表;无人在保,不告知任何项目",
        "Families, pupils, a dangerous house and a meter are on record; nobody is on roll",
        (
            Entry("civil-affairs", "households", (forms.registration(wang, since), unknown, *rows)),
            Entry(
                "education",
                "enrolments",
                tuple(forms.enrolment(pupil, term, since) for pupil in pupils),
            ),
            Entry(
                "housing",
                "assessments",
                (forms.assessment(wang, "D", _before(cast, 20), number=number),),
            ),
            Entry(
                "power-supply",
                "meters",
                (forms.meter_match(wang, since, number=cast.number("PP", "wang")),),
            ),
        ),
        {
            "household.changed": 2 + LOAD_FAMILIES,
            "education.enrolled": 1 + LOAD_FAMILIES,
            "housing.danger_assessed": 1,
            "electricity.meter_matched": 1,
        },
    )


def _granted(family: str) -> tuple[Gets, ...]:
    """A head and a pupil with one meter are granted DIBAO: four referrals, six roster rows."""
    head, child = f"{family}.head", f"{family}.child"
    return (
        Gets("medical-aid", "referral.created", head),
        Gets("medical-aid", "referral.created", child),
        Gets("education-aid", "referral.created", child),
        Gets("electricity-relief", "referral.created", family),
        Gets("instant-settlement", "category.granted", head),
        Gets("instant-settlement", "category.granted", child),
        Gets("poverty-alleviation", "roster.delta", head),
        Gets("poverty-alleviation", "roster.delta", child),
        Gets("medical-insurance", "roster.delta", head),
        Gets("medical-insurance", "roster.delta", child),
        Gets("education", "roster.delta", child),
        Gets("power-supply", "roster.delta", family),
    )


def _grant(cast: Cast, name: str) -> Entry:
    number = cast.number("DB", name)
    record = forms.category(cast.families[name], "GRANT", cast.today, number=number)
    return Entry("civil-affairs", "categories", (record,), families=(name,))


def _grants(cast: Cast) -> tuple[Step, ...]:
    grant = _grant(cast, "wang")
    return (
        Step(
            "grant",
            "民政局将王家纳入低保:一次纳入,六项转介",
            "Civil affairs grants the Wangs DIBAO: one grant, six referrals",
            (grant,),
            {"category.granted": 1},
            (
                *_granted("wang"),
                Gets("housing-aid", "referral.created", "wang"),
                Gets("charity-housing", "referral.created", "wang"),
                # Housing aid accepts, and only then learns name and address.
                Gets("housing-aid", "referral.details_released", "wang"),
            ),
        ),
        Step(
            "grant-again",
            "同一条纳入再发一次:不产生任何新内容",
            "The same grant comes a second time: nothing new follows",
            (grant,),
            {},
        ),
    )


def _admissions(cast: Cast) -> tuple[Step, ...]:
    chen, feng = cast.person("chen.head"), cast.person("feng")
    stay = cast.number("ZY", "chen")
    return (
        Step(
            "admission",
            "医院收治在保老人:告知医疗救助与即时结报,不是转介",
            "A hospital admits somebody on roll: medical aid and instant settlement are told",
            (
                Entry(
                    "hospital",
                    "encounters",
                    (forms.admission(chen, cast.today, stay=stay),),
                ),
            ),
            {"health.hospitalized": 1},
            (
                Gets("medical-aid", "health.hospitalized", "chen.head"),
                Gets("instant-settlement", "health.hospitalized", "chen.head"),
            ),
        ),
        Step(
            "admission-unknown",
            "卫健委登记一名未在保人员住院:留痕,不告知任何项目",
            "The health commission records an admission of somebody nobody serves: nobody is told",
            (
                Entry(
                    "health",
                    "admissions",
                    (forms.register_admission(feng, cast.today, number=cast.number("WJ", "feng")),),
                ),
            ),
            {"health.hospitalized": 1},
        ),
    )


def _bills(cast: Cast) -> tuple[Step, ...]:
    chen = cast.person("chen.head")
    stay, bill = cast.number("ZY", "chen"), cast.number("JS", "chen")
    return (
        Step(
            "settlement",
            "医保局结算住院费用:告知医疗救助",
            "Medical insurance settles a bill: medical aid is told",
            (
                Entry(
                    "medical-insurance",
                    "settlements",
                    (
                        forms.settlement(
                            chen,
                            cast.today,
                            number=bill,
                            total="18600.00",
                            paid="12400.00",
                            own="6200.00",
                        ),
                    ),
                ),
            ),
            {"medical.expense_recorded": 1},
            (Gets("medical-aid", "medical.expense_recorded", "chen.head"),),
        ),
        Step(
            "admission-cancelled",
            "医院撤销入院(2404):原告知作废",
            "The hospital cancels the admission (2404): whoever was told learns of it",
            (
                Entry(
                    "hospital",
                    "encounters",
                    (forms.admission(chen, cast.today, stay=stay, infno="2404"),),
                    way="queue",
                ),
            ),
            {"health.hospitalized": 1},
            (
                Gets("medical-aid", "health.hospitalized-annulled", "chen.head"),
                Gets("instant-settlement", "health.hospitalized-annulled", "chen.head"),
            ),
        ),
    )


def _school(cast: Cast) -> Step:
    day, li = cast.today, cast.families["li"]
    term = f"{day.year}-{day.year + 1}-1"
    return Step(
        "enrolment",
        "在保家庭的孩子入学:转介教育资助",
        "A child of a family on roll starts school: referred to education aid",
        (Entry("education", "enrolments", (forms.enrolment(li.pupils[0], term, day),)),),
        {"education.enrolled": 1},
        (
            Gets("education-aid", "referral.created", "li.child"),
            # A program with a neutral reason is told "please review", not what happened.
            Gets("education-aid", "referral.review_requested", "li.child"),
            Gets("education", "roster.delta", "li.child"),
        ),
    )


def _jobs(cast: Cast) -> tuple[Step, ...]:
    day, li, job = cast.today, cast.families["li"], forms.employment
    return (
        Step(
            "job-lost",
            "两人失业:转介就业救助;在保的一人同时告知低保",
            "Two people lose their jobs: employment aid; for the one on roll DIBAO learns of it",
            (
                Entry(
                    "hrss",
                    "employment",
                    (
                        job(li.head, "2", day, number=cast.number("SY", "li")),
                        job(cast.person("feng"), "2", day, number=cast.number("SY", "feng")),
                    ),
                ),
            ),
            {"employment.lost": 2},
            (
                Gets("employment-aid", "referral.created", "li.head"),
                Gets("employment-aid", "referral.created", "feng"),
                Gets("dibao", "employment.lost", "li.head"),
            ),
        ),
        Step(
            "job-started",
            "在保人员就业:待遇继续,开一项家庭复核任务",
            "Somebody on roll finds a job: aid goes on, a task to re-assess opens",
            (
                Entry(
                    "hrss",
                    "employment",
                    (job(cast.person("he.head"), "1", day, number=cast.number("JY", "he")),),
                ),
            ),
            {"employment.started": 1},
            (
                Gets("dibao", "employment.started", "he.head"),
                Gets("civil-affairs", "task.opened", "he.head"),
            ),
        ),
    )


def _house(cast: Cast) -> Step:
    day, zhao = cast.today, cast.families["zhao"]
    return Step(
        "house",
        "在保家庭房屋鉴定为 D 级:住房救助与慈善资助,同一事项",
        "A house of a family on roll is graded D: housing aid and the charity, one matter",
        (
            Entry(
                "housing",
                "assessments",
                (forms.assessment(zhao, "D", day, number=cast.number("WF", "zhao")),),
            ),
        ),
        {"housing.danger_assessed": 1},
        (
            Gets("housing-aid", "referral.created", "zhao"),
            Gets("charity-housing", "referral.created", "zhao"),
            Gets("housing-aid", "referral.details_released", "zhao"),
        ),
    )


def _deaths(cast: Cast) -> Step:
    zhou = cast.person("zhou.head")
    died = _before(cast, 2)
    left = forms.register_admission(zhou, _before(cast, 6), number=cast.number("WJ", "zhou"))
    left |= {
        "业务类型": "2",
        "出院日期": died.isoformat(),
        "离院方式": "5",
        "死亡日期": died.isoformat(),
    }
    number = cast.number("SW", "zhou")
    return Step(
        "deaths",
        "公安、殡葬、卫健各报一次死亡:先记录待核实,任何待遇都不停",
        "Police, funeral home and hospital report one death: on record, and no aid ends by it",
        (
            Entry("police", "deaths", (forms.police_death(zhou, died, number=number),)),
            Entry("funeral", "cremations", (forms.cremation(zhou, died, number=number),)),
            Entry("health", "admissions", (left,)),
        ),
        {"person.died": 3, "health.discharged": 1},
        (
            Gets("medical-aid", "health.discharged", "zhou.head"),
            Gets("instant-settlement", "health.discharged", "zhou.head"),
        ),
    )


def _village(cast: Cast) -> Step:
    zheng = cast.person("zheng")
    report = forms.village_need(
        cast.families["chen"],
        cast.today,
        number=cast.number("CJ", "zheng"),
        need="care",
        note="独居,无人照料",
    )
    report |= {"name": zheng.name, "id_number": zheng.id_number}
    return Step(
        "village",
        "村干部填表上报独居老人的困难:留痕",
        "A village official reports the need of somebody living alone: on record",
        (Entry("village", "reports", (report,)),),
        {"need.discovered": 1},
    )


def _list(cast: Cast) -> tuple[Step, ...]:
    wu = cast.families["wu"]
    listed = cast.number("FP")
    rows = forms.list_rows(
        listed,
        cast.today,
        [
            ("返贫", wu.head, wu.id),
            ("返贫", cast.person("li.head"), ""),
            ("兜底", cast.person("zheng"), ""),
            ("返贫", cast.person("zhou.head"), ""),
            ("返贫", cast.person("typo"), ""),
        ],
    )
    told = tuple(
        Gets(program, kind, subject)
        for program in ("poverty-backstop", "dibao", "tekun")
        for subject, kind in (
            ("wu.head", "poverty.relapsed"),
            ("li.head", "poverty.relapsed"),
            ("zhou.head", "poverty.relapsed"),
            ("zheng", "poverty.backstop_needed"),
        )
    )
    return (
        Step(
            "list",
            "返贫兜底名单五行:两行立案,一行已在保,一行疑似已故,一行证件号码有误",
            "Five rows: two cases, one covered, one reported dead, one with a wrong ID number",
            (Entry("poverty-alleviation", "lists", tuple(rows)),),
            {"poverty.relapsed": 3, "poverty.backstop_needed": 1, "record.dead_lettered": 1},
            (
                *told,
                Gets("civil-affairs", "case.opened", "wu.head"),
                Gets("civil-affairs", "case.opened", "zheng"),
                Gets("civil-affairs", "task.opened", "zhou.head"),
                Gets("poverty-alleviation", "poverty.disposition_returned"),
            ),
            {"E-ID-CHECK": 1},
        ),
        Step(
            "decision",
            "有权人员决定将吴家纳入低保:结案、反馈、转介;电表未知,请求匹配一次",
            "A person with power grants the Wus DIBAO; nobody knows their meter: one question",
            (Entry("civil-affairs", "decisions", (_decided(cast, listed),)),),
            {"decision.recorded": 1, "category.granted": 1},
            (
                Gets("civil-affairs", "case.closed", "wu.head"),
                Gets("poverty-alleviation", "poverty.disposition_returned"),
                Gets("medical-aid", "referral.created", "wu.head"),
                Gets("medical-aid", "referral.created", "wu.child"),
                Gets("electricity-relief", "electricity.match_requested", "wu.head"),
                Gets("instant-settlement", "category.granted", "wu.head"),
                Gets("instant-settlement", "category.granted", "wu.child"),
                Gets("poverty-alleviation", "roster.delta", "wu.head"),
                Gets("poverty-alleviation", "roster.delta", "wu.child"),
                Gets("medical-insurance", "roster.delta", "wu.head"),
                Gets("medical-insurance", "roster.delta", "wu.child"),
            ),
        ),
    )


def _decided(cast: Cast, listed: str) -> Record:
    wu = cast.families["wu"]
    return forms.decision(
        wu,
        cast.number("JD", "wu"),
        cast.today,
        kind="classification",
        outcome="granted",
        caseNo=listed,
        category="DIBAO",
        scope="HOUSEHOLD",
        effectiveDate=cast.today.isoformat(),
        members=forms.family_members(wu, _before(cast, 30)),
    )


def _meter(cast: Cast) -> tuple[Step, ...]:
    wu = cast.families["wu"]
    number = cast.number("PP", "wu")
    return (
        Step(
            "meter",
            "供电公司匹配到吴家电表:转介电费减免",
            "The power company finds the Wus' meter: referred to electricity relief",
            (
                Entry(
                    "power-supply",
                    "meters",
                    (forms.meter_match(wu, cast.today, number=number),),
                ),
            ),
            {"electricity.meter_matched": 1},
            (
                Gets("electricity-relief", "referral.created", "wu"),
                Gets("power-supply", "roster.delta", "wu"),
            ),
        ),
        Step(
            "relief",
            "供电公司报送减免生效:转介办结",
            "The power company reports that relief applies: the referral is served",
            (
                Entry(
                    "power-supply",
                    "relief",
                    (forms.relief(wu, cast.today, number=cast.number("JM", "wu")),),
                ),
            ),
            {"electricity.relief_applied": 1},
        ),
    )


def _ends(cast: Cast) -> tuple[Step, ...]:
    sun, li = cast.families["sun"], cast.families["li"]
    decided = cast.number("JD", "sun")
    end = forms.category(sun, "END", cast.today, number=cast.number("TC", "sun"), decision=decided)
    without = forms.category(li, "END", cast.today, number=cast.number("TC", "li"))
    return (
        Step(
            "end",
            "民政局依决定将孙家退出低保:停止通知,是否停止由各项目决定",
            "The Suns leave DIBAO by a decision: stop notices; each program decides for itself",
            (
                Entry(
                    "civil-affairs",
                    "decisions",
                    (forms.decision(sun, decided, cast.today, kind="end", outcome="ended"),),
                ),
                Entry("civil-affairs", "categories", (end,)),
            ),
            {"decision.recorded": 1, "category.ended": 1},
            (
                Gets("medical-aid", "referral.stop_notified", "sun.head"),
                Gets("medical-aid", "referral.stop_notified", "sun.child"),
                Gets("education-aid", "referral.stop_notified", "sun.child"),
                Gets("electricity-relief", "referral.stop_notified", "sun"),
                Gets("poverty-alleviation", "roster.delta", "sun.head"),
                Gets("poverty-alleviation", "roster.delta", "sun.child"),
                Gets("medical-insurance", "roster.delta", "sun.head"),
                Gets("medical-insurance", "roster.delta", "sun.child"),
                Gets("education", "roster.delta", "sun.child"),
                Gets("power-supply", "roster.delta", "sun"),
            ),
        ),
        Step(
            "end-without-decision",
            "没有决定编号的退出:不执行,退回并报监督",
            "An end without a decision is not carried out, and reported",
            (Entry("civil-affairs", "categories", (without,)),),
            {"category.ended": 1},
            (Gets("civil-affairs", "audit.violation", "li.head"),),
            {"E-EFFECT-WITHOUT-DECISION": 1},
        ),
    )


def _poison(cast: Cast) -> Step:
    wrong = forms.employment(cast.person("typo"), "2", cast.today, number=cast.number("SY", "typo"))
    broken = f'{{"recordNo": "{cast.number("DB", "broken")}", "action": '.encode()
    return Step(
        "poison",
        "两条坏数据:校验码错误、JSON 残缺;进入死信,写明原因",
        "Two bad records, a wrong check character and broken JSON: dead letters with reasons",
        (
            Entry("hrss", "employment", (wrong,)),
            Entry("civil-affairs", "categories", raw=broken),
        ),
        {"record.dead_lettered": 2},
        (),
        {"E-ID-CHECK": 1, "E-JSON": 1},
    )


def _load(cast: Cast) -> Step:
    return Step(
        "load",
        f"连续纳入 {LOAD_FAMILIES} 户:每户四项转介,计量时延",
        f"{LOAD_FAMILIES} families are granted one after the other: four referrals each, timed",
        tuple(_grant(cast, name) for name in _loaded()),
        {"category.granted": LOAD_FAMILIES},
        tuple(copy for name in _loaded() for copy in _granted(name)),
        paced=True,
    )
