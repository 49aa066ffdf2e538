"""Browsers: Debian's Chromium, and pages that note every error and every outside request."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SIZE = {"width": 1440, "height": 900}


@asynccontextmanager
async def chromium() -> AsyncIterator[Any]:
    """A browser without a window."""
    async with async_playwright() as kit:
        browser = await kit.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            await browser.close()


class Seat:
    """Somebody at a browser of their own, signed in.

    Args:
        browser: Opens the window.
        url: Of the console.
        theme: ``light`` or ``dark``.
    """

    def __init__(self, browser: Any, url: str, theme: str = "light") -> None:
        self._browser, self.url, self._theme = browser, url, theme
        self.wrong: list[str] = []
        self.addresses: set[str] = set()
        self.clicks = 0
        self.page: Any = None

    async def sit(self, account: str, password: str) -> None:
        """Sign in; ends on the start page."""
        context = await self._browser.new_context(viewport=SIZE, color_scheme=self._theme)
        self.page = page = await context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", self._asked)
        await page.goto(f"{self.url}/")
        await page.get_by_label("账号", exact=True).fill(account)
        await page.get_by_label("密码", exact=True).fill(password)
        await page.get_by_role("button", name="登录", exact=True).click()
        await page.get_by_role("heading", name="流水线", exact=True).wait_for()

    async def leave(self) -> None:
        """Close the window."""
        await self.page.context.close()

    async def click(self, target: Any) -> None:
        """A click, counted; waits for the page it leads to."""
        self.clicks += 1
        await target.click()
        await self.page.wait_for_load_state("domcontentloaded")

    async def go(self, name: str) -> None:
        """Open a page of the navigation by its name."""
        nav = self.page.get_by_role("navigation", name="页面", exact=True)
        await self.click(nav.get_by_role("link", name=name))

    async def start(self) -> None:
        """Back to the start page; clicks count from there."""
        await self.page.goto(f"{self.url}/")
        self.clicks = 0

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(f"{self.page.url}: {message.text}")

    def _asked(self, request: Any) -> None:
        self.addresses.add(request.url)
        if not request.url.startswith((self.url, "data:")):
            self.wrong.append(f"outside: {request.url}")
