"""Reconciliations: what a program was sent, received and answered on one day; counts only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg
import msgspec

Source = asyncpg.Connection | asyncpg.Pool


class Day(msgspec.Struct, frozen=True):
    """One program's day.

    ``sent`` = ``received`` + ``waiting`` + ``unfetched`` + ``parked`` + ``given_up``, and
    ``asked`` = ``answered`` + ``withdrawn`` + ``in_time`` + ``late``.

    Attributes:
        program: Its id.
        mode: ``kafka``, ``webhook`` or ``pull``.
        sent: Copies that got a number that day.
        received: Acknowledged: by the receiver (webhook, pull) or by its inbox topic (kafka).
        waiting: Numbered, and being tried or on the way.
        unfetched: Numbered, and the program that fetches for itself has not acknowledged them.
        parked: Set aside.
        given_up: Closed by a person without delivery.
        asked: Referrals that were told of that day.
        answered: Of those, accepted, refused or completed by the program.
        withdrawn: Ended before the program answered: nothing is owed any more.
        in_time: Not answered, within their clock.
        late: Not answered, past their clock.
        first: Smallest number of the day.
        last: Largest number of the day.
    """

    program: str
    mode: str
    sent: int
    received: int
    waiting: int
    unfetched: int
    parked: int
    given_up: int
    asked: int
    answered: int
    withdrawn: int
    in_time: int
    late: int
    first: int | None
    last: int | None

    @property
    def undelivered(self) -> int:
        """Sent and not received."""
        return self.sent - self.received

    @property
    def is_even(self) -> bool:
        """Sent = received, and everything asked was answered or withdrawn."""
        return not self.undelivered and self.asked == self.answered + self.withdrawn


_DAYS = """
WITH told AS (
 SELECT d.subscription, s.mode, d.seq, d.state,
  CASE d.type WHEN 'referral.created' THEN d.referral_id END AS asked,
  d.state = 'sent' OR d.state = 'cursor' AND CASE s.mode
   WHEN 'pull' THEN (d.generation, d.seq)
    <= (coalesce(s.acked_generation, s.generation), s.acked_seq)
   ELSE d.generation < s.generation OR d.seq <= s.sent_seq END AS received
 FROM delivery d JOIN subscription s ON s.id = d.subscription
 WHERE d.moved_at >= $1 AND d.moved_at < $2 AND s.topic LIKE 'program.%'
), copies AS (
 SELECT subscription, mode, count(*) AS sent, count(*) FILTER (WHERE received) AS received,
  count(*) FILTER (WHERE NOT received AND (state = 'waiting'
   OR state = 'cursor' AND mode <> 'pull')) AS waiting,
  count(*) FILTER (WHERE NOT received AND state = 'cursor' AND mode = 'pull') AS unfetched,
  count(*) FILTER (WHERE state = 'parked') AS parked,
  count(*) FILTER (WHERE state = 'given_up') AS given_up, min(seq) AS first, max(seq) AS last
 FROM told GROUP BY 1, 2
), asked AS MATERIALIZED (
 SELECT t.subscription, r.due_at, r.state, EXISTS (
  SELECT FROM json_array_elements(r.history) AS step
  WHERE step ->> 1 IN ('accepted', 'rejected', 'completed')) AS answered
 FROM (SELECT DISTINCT subscription, asked FROM told WHERE asked IS NOT NULL) t
 JOIN referral r ON r.id = t.asked
), answers AS (
 SELECT subscription, count(*) AS asked, count(*) FILTER (WHERE answered) AS answered,
  count(*) FILTER (WHERE NOT answered AND state NOT IN ('created', 'accepted')) AS withdrawn,
  count(*) FILTER (WHERE NOT answered AND state IN ('created', 'accepted')
   AND coalesce(due_at >= $3, true)) AS in_time,
  count(*) FILTER (WHERE NOT answered AND state IN ('created', 'accepted')
   AND due_at < $3) AS late
 FROM asked GROUP BY 1
)
SELECT c.subscription, c.mode, c.sent, c.received, c.waiting, c.unfetched, c.parked, c.given_up,
 coalesce(a.asked, 0), coalesce(a.answered, 0), coalesce(a.withdrawn, 0),
 coalesce(a.in_time, 0), coalesce(a.late, 0), c.first, c.last
FROM copies c LEFT JOIN answers a USING (subscription) ORDER BY c.subscription
"""


async def day(source: Source, since: int, until: int, *, now: int) -> list[Day]:
    """Every program that was sent something between two instants (ms since 1970)."""
    return [Day(*row) for row in await source.fetch(_DAYS, since, until, now)]


async def missing(source: Source, program: str, since: int, until: int, limit: int = 200) -> Any:
    """The numbers of a day that were not received by a webhook: number, state, error, event."""
    rows = await source.fetch(
        "SELECT generation, seq, type, event_id, state, error, parked, attempts, created_at"
        " FROM delivery WHERE subscription = $1 AND moved_at >= $2 AND moved_at < $3"
        " AND state IN ('waiting', 'parked', 'given_up') ORDER BY generation, seq LIMIT $4",
        program,
        since,
        until,
        limit,
    )
    return [dict(row) for row in rows]


async def unanswered(source: Source, program: str, since: int, until: int, limit: int = 200) -> Any:
    """Referrals told of on a day that the program has not answered: id, opened, due."""
    rows = await source.fetch(
        "SELECT id, correlation, state, opened_at, due_at FROM referral WHERE state = 'created'"
        " AND id IN (SELECT referral_id FROM delivery WHERE subscription = $1"
        "  AND moved_at >= $2 AND moved_at < $3 AND type = 'referral.created')"
        " ORDER BY due_at NULLS LAST, id LIMIT $4",
        program,
        since,
        until,
        limit,
    )
    return [dict(row) for row in rows]


async def key_figures(source: Source, since: int, until: int) -> Mapping[str, int | float | None]:
    """The day in figures: facts decided, of them dead letters, referrals created, ms to programs.

    ``to_program`` is the 95th percentile from the moment a copy was decided until it was
    delivered, or numbered where the program fetches or reads for itself.
    """
    row = await source.fetchrow(
        "SELECT (SELECT count(*) FROM seen_event WHERE at >= $1 AND at < $2) AS facts,"
        " (SELECT count(*) FROM dead_letter WHERE failed_at >= $1 AND first_failed_at >= $1"
        "  AND first_failed_at < $2) AS rejects,"
        " (SELECT count(*) FROM referral WHERE opened_at >= $1 AND opened_at < $2) AS referrals,"
        " (SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY coalesce(done_at, moved_at)"
        "  - created_at) FROM delivery WHERE moved_at >= $1 AND moved_at < $2"
        "  AND state IN ('sent', 'cursor')) AS to_program",
        since,
        until,
    )
    return dict(row or {})
