"""The model, explored: any order of steps, any death, any zombie, any repeat on the wire."""

from __future__ import annotations

import pytest
from flows import Event, Flow, Relay, Worker
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sabotages import SABOTAGES

WHO = st.integers(0, 1)
STEPS = st.integers(1, 4)
COUNT = st.integers(1, 3)


class Machine(RuleBasedStateMachine):
    """Two workers and two relays of one flow; each may stand still or die after any step."""

    kind = Flow

    def __init__(self):
        super().__init__()
        self.flow = self.kind()
        self.flow.workers = [Worker(), Worker()]
        self.flow.relays = [Relay(), Relay()]

    @initialize(persons=st.lists(st.integers(0, 1), max_size=6), steps=st.integers(0, 4))
    def has_begun(self, persons, steps):
        self.flow.log += [Event(n, person) for n, person in enumerate(persons)]
        for _ in range(steps):
            self.worker_step(self.flow.workers[0], len(persons), answered=True)

    @rule(person=st.integers(0, 1))
    def happens(self, person):
        self.flow.log.append(Event(len(self.flow.log), person))

    @precondition(lambda self: self.flow.log)
    @rule(back=st.integers(1, 4))
    def is_sent_twice(self, back):
        self.flow.log.append(self.flow.log[-min(back, len(self.flow.log))])

    @rule(who=WHO, steps=STEPS, count=COUNT, answered=st.booleans())
    def worker_goes_on(self, who, steps, count, answered):
        for _ in range(steps):
            self.worker_step(self.flow.workers[who], count, answered=answered)
            self.flow.check()

    def worker_step(self, worker, count, *, answered):
        if not worker.epoch:
            self.flow.claim(worker)
        elif worker.fresh is not None:
            self.flow.commit(worker, answered=answered)
        elif worker.batch:
            self.flow.begin(worker)
        else:
            self.flow.poll(worker, count)

    @rule(who=WHO)
    def worker_is_assigned(self, who):
        self.flow.claim(self.flow.workers[who])

    @rule(who=WHO)
    def worker_dies(self, who):
        self.flow.workers[who] = Worker()

    @rule(who=WHO, steps=STEPS, count=COUNT, failed=st.none() | st.integers(0, 1))
    def relay_goes_on(self, who, steps, count, failed):
        for _ in range(steps):
            self.relay_step(self.flow.relays[who], count, failed)
            self.flow.check()

    def relay_step(self, relay, count, failed):
        if not relay.epoch:
            self.flow.take(relay)
        elif relay.in_hand:
            self.flow.send(relay, count, failed=failed)
        elif relay.acknowledged > self.flow.tables.sent_seq:
            self.flow.mark(relay)
            relay.epoch *= self.flow.owns(relay)
        else:
            self.flow.move(relay, count)

    @rule(who=WHO)
    def relay_takes_over(self, who):
        self.flow.take(self.flow.relays[who])

    @rule(who=WHO)
    def relay_dies(self, who):
        self.flow.relays[who] = Relay()

    @invariant()
    def holds(self):
        self.flow.check()

    def teardown(self):
        self.flow.settle()


def explore(flow, examples):
    """Walk through a flow; the same walks at every run."""
    machine = type("Explored", (Machine,), {"kind": flow})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_nothing_is_lost_doubled_renumbered_or_reordered():
    explore(Flow, 200)


@pytest.mark.parametrize("sabotage", SABOTAGES)
def test_without_any_one_part_the_promise_breaks(sabotage):
    with pytest.raises((AssertionError, ExceptionGroup)):
        explore(sabotage, 1000)
