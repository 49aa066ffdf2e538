"""A world that starts every event with an empty state and loads only what keys and Need ask for."""

from worlds import World

from hub.model.keys import keys
from hub.model.states import Keys, Need, State


class Shelf:
    """Records by table and key, as a database would hold them."""

    def __init__(self, state):
        self.rows = dict(state.dirty)

    def load(self, state, wanted):
        uids, households = set(wanted.uids), set(wanted.households)
        for row in self.rows_of("referral"):
            if row.id in wanted.referrals or row.subject_ref in wanted.subjects:
                uids |= {row.uid} - {None}
                households |= {row.household} - {None}
        for uid in set(uids):
            if ("person", (uid,)) in self.rows:
                households |= set(self.rows["person", (uid,)].households)
        for household in households:
            if ("household", (household,)) in self.rows:
                uids |= set(self.rows["household", (household,)].uids)
        for (table, key), row in self.rows.items():
            if (table, key) not in state.dirty and self.wanted(
                table, row, wanted, uids, households
            ):
                state.put(row)
        state.loaded |= wanted | Keys(uids=frozenset(uids), households=frozenset(households))

    def rows_of(self, table):
        return [row for (name, _), row in self.rows.items() if name == table]

    def wanted(self, table, row, asked, uids, households):
        match table:
            case "household":
                return row.id in households
            case "person" | "interest":
                return row.uid in uids
            case "decision":
                return row.id in asked.decisions
            case "list_row":
                return (row.source, row.list_ref) in asked.lists
            case "roster_row":
                mine = row.uid in uids or row.household in households
                return mine or row.recipient in asked.recipients
            case _:
                extra = table == "referral" and (
                    row.id in asked.referrals or row.subject_ref in asked.subjects
                )
                return row.uid in uids or row.household in households or extra


class LazyWorld(World):
    """As the decide lane does it, one event a batch."""

    def __init__(self, world):
        super().__init__(world.profile)
        self.now, self.timers = world.now, dict(world.timers)
        self.shelf = Shelf(world.state)
        self.needs = 0

    def _decide(self, event):
        queue = [event]
        self.state = State()
        while queue:
            now = queue.pop(0)
            self.shelf.load(self.state, keys(now))
            queue += self._one(now)
        self.shelf.rows.update(self.state.dirty)

    def call(self, function, event):
        for _ in range(8):
            try:
                return function(self.state, event, self.ctx)
            except Need as need:
                self.needs += 1
                self.shelf.load(self.state, need.keys)
        raise AssertionError(function)

    def whole(self):
        """Everything on the shelf in one state."""
        self.state = State()
        for row in self.shelf.rows.values():
            self.state.put(row)
        return self
