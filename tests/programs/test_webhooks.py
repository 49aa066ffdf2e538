from __future__ import annotations

import pytest
from conftest import MASTER

from hub.contracts.cloudevents import to_json
from hub.contracts.codecs import decode_copy
from hub.kernel.errors import DataError
from hub.sdk.programs import webhooks

PROGRAM = "charity-housing"
SECRET = webhooks.key(MASTER, PROGRAM)
NOW = 1_743_480_000


@pytest.fixture(scope="session")
def sent(press):
    value, headers, copy_id = press.referral(PROGRAM, 1)
    return copy_id, to_json(PROGRAM, decode_copy(PROGRAM, value), headers)


def verified(headers, body, *, now=NOW, secrets=(SECRET,)):
    return webhooks.verify(PROGRAM, secrets, headers, body, now=now)


def test_a_signed_body_is_the_copy(sent):
    copy_id, body = sent
    headers = {n.title(): v for n, v in webhooks.sign(SECRET, copy_id, body, now=NOW).items()}
    copy = verified(headers, body, now=NOW + 200)
    assert (copy.id, copy.sequence, copy.type) == (copy_id, 1, "referral.created")


def test_the_former_secret_counts_during_a_change_of_keys(sent):
    copy_id, body = sent
    headers = webhooks.sign(SECRET, copy_id, body, now=NOW)
    assert verified(headers, body, secrets=(b"n" * 32, SECRET)).id == copy_id


def test_a_changed_old_unsigned_or_foreign_body_is_refused(sent):
    copy_id, body = sent
    good = webhooks.sign(SECRET, copy_id, body, now=NOW)
    foreign = webhooks.sign(webhooks.key(MASTER, "medical-aid"), copy_id, body, now=NOW)
    other = webhooks.sign(SECRET, "another-id", body, now=NOW)
    for headers, sent_body, now in (
        (good, body.replace(b"320682", b"320681"), NOW),
        (good, body, NOW + 301),
        (good, body, NOW - 301),
        ({}, body, NOW),
        (good | {"webhook-id": "x"}, body, NOW),
        (good | {"webhook-timestamp": "²"}, body, NOW),
        (good | {"webhook-signature": ""}, body, NOW),
        (foreign, body, NOW),
        (other, body, NOW),
    ):
        with pytest.raises(DataError) as caught:
            verified(headers, sent_body, now=now)
        assert caught.value.code == "E-SENDER"
