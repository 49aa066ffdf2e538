"""Who gets in, who does not, and what stays on record of it."""

from __future__ import annotations

import pyotp

from hub.store import accounts
from hub.store.connections import close, connect
from tests.console.conftest import PASSWORD, Rig, token


async def test_a_page_leads_to_the_sign_in_and_back(rig: Rig) -> None:
    browser = rig.client()
    answer = await browser.get("/accounts")
    assert answer.headers["location"] == "/sign-in?next=/accounts"
    admin = await rig.signed_in("admin")
    assert (await admin.get("/accounts")).status_code == 200


async def test_another_site_is_no_place_to_go_on_to(rig: Rig) -> None:
    connection = await connect(rig.database)
    await rig.signed_in("viewer")
    await close(connection)
    answer = await rig.client().post(
        "/sign-in", data={"account": "viewer1", "password": PASSWORD, "then": "//evil.example"}
    )
    assert answer.headers["location"] == "/"


async def test_five_wrong_passwords_lock_the_account_even_for_the_right_one(rig: Rig) -> None:
    await rig.signed_in("viewer")
    browser = rig.client()
    for _ in range(5):
        answer = await browser.post("/sign-in", data={"account": "viewer1", "password": "wrong"})
        assert answer.status_code == 401
    answer = await browser.post("/sign-in", data={"account": "viewer1", "password": PASSWORD})
    assert answer.status_code == 429
    rows = await rig.fetch("SELECT count(*) FROM audit WHERE kind = 'sign_in_failed'")
    assert rows[0][0] == 5


async def test_a_code_of_the_second_factor_works_once(rig: Rig) -> None:
    await rig.signed_in("viewer")
    secret = pyotp.random_base32()
    connection = await connect(rig.database)
    await accounts.change(connection, "viewer1", totp=secret.encode())
    await close(connection)
    form = {"account": "viewer1", "password": PASSWORD}
    assert (await rig.client().post("/sign-in", data=form)).status_code == 401
    form["code"] = pyotp.TOTP(secret).now()
    assert (await rig.client().post("/sign-in", data=form)).status_code == 303
    assert (await rig.client().post("/sign-in", data=form)).status_code == 401


async def test_a_form_without_the_sessions_token_changes_nothing(rig: Rig) -> None:
    admin = await rig.signed_in("admin")
    form = {"account": "neu", "name": "Neu", "role": "viewer"}
    assert (await admin.post("/accounts", data=form)).status_code == 403
    page = await admin.get("/accounts")
    assert (await admin.post("/accounts", data=form | {"csrf": token(page)})).status_code == 200
    assert len(await rig.fetch("SELECT 1 FROM account WHERE id = 'neu'")) == 1


async def test_only_administrators_see_accounts(rig: Rig) -> None:
    for role in ("viewer", "operator", "auditor"):
        browser = await rig.signed_in(role)
        assert (await browser.get("/accounts")).status_code == 403


async def test_a_closed_account_is_out_at_once(rig: Rig) -> None:
    viewer = await rig.signed_in("viewer")
    admin = await rig.signed_in("admin")
    csrf = token(await admin.get("/accounts"))
    await admin.post("/accounts/viewer1/close", data={"csrf": csrf})
    assert "/sign-in" in (await viewer.get("/me")).headers["location"]


async def test_a_session_ends_after_idling(rig: Rig) -> None:
    viewer = await rig.signed_in("viewer")
    await rig.fetch("UPDATE console_session SET seen_at = seen_at - $1", 31 * 60_000)
    assert (await viewer.get("/me")).status_code == 303


async def test_no_token_and_no_password_stands_in_the_database(rig: Rig) -> None:
    browser = await rig.signed_in("viewer")
    cookie = browser.cookies["hub_console"]
    for table in ("account", "console_session", "audit"):
        text = str([dict(row) for row in await rig.fetch(f"SELECT * FROM {table}")])  # noqa: S608
        assert cookie not in text
        assert PASSWORD not in text
