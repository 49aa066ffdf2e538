"""Texts: width, stray letters, dots in names and other names of a thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel.errors import ConfigurationError
from hub.kernel.texts import Aliases, aliases, fold, has_private_use, name, narrow, same_name, word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("低a保", "低保"),
        ("低 bao 保", "低保"),
        ("五ｂ保", "五保"),
        ("低 保", "低保"),
        ("危房C级", "危房C级"),
        ("低保A类对象", "低保A类对象"),
        ("A类低保", "A类低保"),
        ("Excel", "Excel"),
        ("\u200b低保\ufeff", "低保"),
    ],
)
def test_stray_letters_go_and_grades_stay(text, expected):
    assert word(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "阿依古丽·买买提",
        "阿依古丽•买买提",
        "阿依古丽・买买提",
        "阿依古丽･买买提",
        "阿依古丽‧买买提",
        "阿依古丽∙买买提",
        "阿依古丽．买买提",
        "阿依古丽.买买提",
        "阿依古丽 · 买买提",
        " 阿依古丽·买买提· ",
    ],
)
def test_every_dot_in_a_name_is_one_dot(text):
    assert name(text) == "阿依古丽·买买提"
    assert same_name(text, "阿依古丽·买买提")


def test_names_are_compared_without_case_and_spaces():
    assert same_name("张　三", "张三")
    assert same_name("JOHN  Smith", "john smith")
    assert name("John  Smith") == "John Smith"
    assert not same_name("张三", "张山")


def test_a_rare_character_counts_as_one():
    assert len(name("𠮷 田")) == 2
    assert has_private_use("张\ue001")
    assert not has_private_use("张𠮷")


@pytest.mark.parametrize(
    ("group", "text", "expected"),
    [
        ("category", "五保", "TEKUN"),
        ("category", "五 保 户", "TEKUN"),
        ("category", "特困供养", "TEKUN"),
        ("category", "城乡低保", "DIBAO"),
        ("category", "低边保", None),
        ("department", "扶贫办", "poverty-alleviation"),
        ("department", "扶貧辦", "poverty-alleviation"),
        ("department", "卫计", "health"),
        ("department", "工商", "market-reg"),
        ("department", "社保", "hrss"),
        ("department", "房产", "housing"),
        ("department", "不动产登记", "real-estate"),
        ("level", "办", "town"),
        ("level", "街道", "town"),
        ("level", "社区", "village"),
        ("subtype", "农村低保", "rural"),
        ("other", "五保", None),
    ],
)
def test_other_names_fold_to_the_hubs(group, text, expected):
    assert aliases().find(group, text) == expected


def test_a_table_with_two_names_for_one_spelling_is_refused(tmp_path):
    path = tmp_path / "aliases.csv"
    path.write_text(
        "group,alias,name\ncategory,五保,TEKUN\ncategory,五 保,DIBAO\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError, match="two names"):
        Aliases.load(path)


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(text):
    for once in (fold, name, narrow):
        assert once(once(text)) == once(text)
