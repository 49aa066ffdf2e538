"""What the hub's sender signs, the receiver's SDK verifies."""

from __future__ import annotations

import pytest

from hub.contracts.cloudevents import to_json
from hub.contracts.codecs import decode_copy
from hub.kernel.errors import DataError
from hub.runtime.webhook_posts import webhook_secret
from hub.sdk.programs import webhooks
from hub.transports.signatures import PrivateKey, SharedKey, signed
from tests.programs.conftest import MASTER

PROGRAM = "charity-housing"
SECRET = webhook_secret(MASTER, PROGRAM)
SHARED = SharedKey(SECRET)
PRIVATE = PrivateKey(MASTER)
NOW = 1_743_480_000


@pytest.fixture(scope="session")
def sent(press):
    value, headers, copy_id = press.referral(PROGRAM, 1)
    return copy_id, to_json(PROGRAM, decode_copy(PROGRAM, value), headers)


def verified(headers, body, *, now=NOW, secrets=(SECRET,), public_keys=()):
    return webhooks.verify(
        PROGRAM, headers, body, now=now, secrets=secrets, public_keys=public_keys
    )


def test_a_signed_body_is_the_copy(sent):
    copy_id, body = sent
    headers = {n.title(): v for n, v in signed([SHARED], copy_id, NOW, body).items()}
    copy = verified(headers, body, now=NOW + 200)
    assert (copy.id, copy.sequence, copy.type) == (copy_id, 1, "referral.created")


def test_the_public_key_is_enough(sent):
    copy_id, body = sent
    headers = signed([PRIVATE], copy_id, NOW, body)
    assert verified(headers, body, secrets=(), public_keys=(PRIVATE.public,)).id == copy_id
    with pytest.raises(DataError):
        verified(headers, body + b" ", secrets=(), public_keys=(PRIVATE.public,))
    with pytest.raises(DataError):
        verified(headers | {"webhook-signature": "v1a,%"}, body, public_keys=(PRIVATE.public,))


def test_either_key_counts_during_a_change_of_keys(sent):
    copy_id, body = sent
    headers = signed([SharedKey(b"n" * 32), SHARED], copy_id, NOW, body)
    assert verified(headers, body).id == copy_id
    assert verified(headers, body, secrets=(b"o" * 32, b"n" * 32)).id == copy_id


def test_a_changed_old_unsigned_or_foreign_body_is_refused(sent):
    copy_id, body = sent
    good = signed([SHARED], copy_id, NOW, body)
    foreign = signed([SharedKey(webhook_secret(MASTER, "medical-aid"))], copy_id, NOW, body)
    other = signed([SHARED], "another-id", NOW, body)
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
