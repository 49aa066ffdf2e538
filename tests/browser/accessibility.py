"""Accessibility: what axe finds in a page, the serious and the critical."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

VENDOR = Path(__file__).parent / "vendor"
_AXE = "axe.min.js"
_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`)"""


@cache
def script() -> str:
    """The library, with the sum that is on record."""
    content = (VENDOR / _AXE).read_bytes()
    known = yaml.safe_load((VENDOR / "sources.yaml").read_text("utf-8"))
    assert sha256(content).hexdigest() == known[_AXE]["sha256"]
    return content.decode()


async def violations(page: Any) -> list[str]:
    """Serious and critical findings in a page as it stands."""
    # By the debugger, as the page's own policy lets no foreign script in.
    await page.evaluate(script())
    found: list[str] = await page.evaluate(_RUN)
    return found
