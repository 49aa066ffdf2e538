from __future__ import annotations

from pathlib import Path

import pytest

import hub
from hub.contracts.catalogues import catalogue
from hub.contracts.cloudevents import with_sequence
from hub.model.contexts import Context
from hub.model.decisions import Deliver, Reason
from hub.model.outbox import OutboxRow, unpack
from hub.model.sentences import in_both
from hub.routing.copies import Copies
from hub.routing.receivers import Receivers
from hub.sdk.profiles import load_profile
from hub.sdk.subscriptions import load_subscriptions

NOW = 1_743_480_000_000
MASTER = bytes(range(32))


class Press:
    """Makes copies as the hub would and numbers them as the relay would."""

    def __init__(self) -> None:
        place = catalogue()
        folder = Path(hub.__file__).parent / "profiles" / "rugao" / "programs"
        self.ctx = Context(NOW, load_profile("rugao"))
        self.copies = Copies(
            Receivers(load_subscriptions(folder, place), place),
            place,
            k_program=MASTER,
            k_copy=MASTER,
            division="320682",
            sentence=in_both,
        )

    def referral(self, program: str, sequence: int, generation: int = 1):
        """(value, headers, copy id) of a referral with its number."""
        row = self.row(program, sequence)
        headers = with_sequence(unpack(row.headers), sequence, generation)
        return row.body, headers, row.copy_id

    def row(self, program: str, sequence: int) -> OutboxRow:
        """A referral as the decider leaves it."""
        groups = {
            "id": {"name": "演示", "id_number": "990000199001010015"},
            "category": {"category": "DIBAO", "effective_from": 20_100},
            "medcost": {"total": 1_234_50, "expense_date": 20_101},
        }
        (row,) = self.copies.make(
            Deliver(
                program=program,
                type="referral.created",
                cause=f"0d9c3c0b-5f0e-5d55-8a6b-{sequence:012d}",
                reason=Reason("RG-03.medical-aid", "referral.created", "2025.1"),
                uid=sequence.to_bytes(16, "big"),
                household="H-1",
                groups=groups,
                correlation="c",
                referral_id=f"referral-{sequence}",
                occurred_at=NOW,
                jurisdiction="320682",
            ),
            self.ctx,
        )
        return row


@pytest.fixture(scope="session")
def press() -> Press:
    return Press()
