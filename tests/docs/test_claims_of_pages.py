"""What the pages say about the code can be looked up."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import pytest

from hub.cli.verbs import VERBS
from hub.kernel.settings import Settings
from hub.runtime.channel_secrets import VARIABLE
from tests.docs.pages import page as read
from tests.docs.twins import ROOT

PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")})
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?:hub|connectors|schemas|topics|docs|tests)/[\w./-]+")
MADE_BY_THE_GUIDES = ("connectors/disabled_federation", "schemas/programs/rehab-aid.avsc")


@cache
def named_tests() -> frozenset[str]:
    found = set()
    for path in ROOT.glob("tests/**/*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
    return frozenset(found)


def code_of(page) -> list[str]:
    return _CODE.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_test_that_a_page_names_exists(page):
    for word in code_of(page):
        if word.startswith("test_") and not word.endswith(".py"):
            assert word in named_tests(), word
        if _PATH.fullmatch(word) and not word.startswith(MADE_BY_THE_GUIDES):
            assert (ROOT / word).exists(), word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_setting_that_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    known = {verb.name for verb in VERBS} | {"COMMAND"}
    assert set(re.findall(r"`hub ([a-z]+)", text)) <= known
    assert set(re.findall(r"^(?:\.venv/bin/)?hub ([a-z]+)", text, re.MULTILINE)) <= known
    settings = {f"HUB_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"HUB_[A-Z_]+[A-Z]", text)) - {"HUB_SECRET_K_UID"}
    assert {one for one in named if not VARIABLE.fullmatch(one)} <= settings


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_on_a_page_compiles_and_imports_what_exists(page):
    for block in read(page).blocks:
        if block.language != "python":
            continue
        tree = ast.parse(block.text)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("hub"):
                module = import_module(str(node.module))
                for name in node.names:
                    missing = f"{node.module}.{name.name}"
                    assert hasattr(module, name.name) or find_spec(missing), missing
