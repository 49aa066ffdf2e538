from __future__ import annotations

import pytest

from tests.docs.twins import ROOT, dead_links, findings, twins

PAIRS = twins()


@pytest.mark.parametrize("pair", PAIRS, ids=[chinese.name for _, chinese in PAIRS])
def test_a_page_and_its_chinese_twin_are_in_step(pair):
    assert findings(*pair) == []


def test_the_readme_and_the_guides_have_twins():
    names = {english.relative_to(ROOT).as_posix() for english, _ in PAIRS}
    assert {"README.md", "docs/connector.md", "docs/program.md"} <= names


def test_no_link_leads_nowhere():
    assert dead_links() == []


def test_a_twin_that_lacks_a_command_is_found(tmp_path):
    english, chinese = tmp_path / "a.md", tmp_path / "a.zh-CN.md"
    english.write_text("# A\n\n```sh\nmake demo\n```\n[b](b.md) `x`\n")
    chinese.write_text("# 甲\n\n```sh\nmake demo\n```\n[乙](b.zh-CN.md) `x`\n")
    assert findings(english, chinese) == []
    chinese.write_text("# 甲\n\n```sh\nmake test\n```\n[乙](b.zh-CN.md) `x`\n")
    (found,) = findings(english, chinese)
    assert "code blocks" in found
