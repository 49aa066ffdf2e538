"""Windows: the last commits and ends of one partition, as the rules of lag want them."""

from __future__ import annotations

from collections import deque

from hub.monitoring.lags import Commit, Status, status, trend

COMMITS = 10
"""Commits of a window."""
ENDS = 10
MIN_DISTANCE_MS = 10_000
"""Commits closer than this take the place of the one before, with its time: a group that commits
seventy times a second would otherwise have a window of a fraction of a second, and every pause
would look like a stop."""
NO_PROGRESS_MS = 30_000


class Window:
    """Commits and end offsets of one partition; feed it with every sample."""

    def __init__(self) -> None:
        self.commits: deque[Commit] = deque(maxlen=COMMITS)
        self.ends: deque[int] = deque(maxlen=ENDS)
        self.lag = 0
        self.start = 0
        self._moved_at: int | None = None
        self._end_at = 0

    def committed(self, offset: int, at: int, end: int | None = None) -> None:
        """Note a commit.

        Args:
            offset: Next offset to read.
            at: ms since 1970, the commit's own time.
            end: End offset of the partition as last known.
        """
        lag = None if end is None else max(0, end - offset)
        last = self.commits[-1] if self.commits else None
        if last is not None and at < last.at:
            return
        if last is None or offset != last.offset:
            self._moved_at = at
        if last is not None and at == last.at and offset == last.offset:
            return
        if last is not None and at - last.at < MIN_DISTANCE_MS:
            self.commits[-1] = Commit(offset, last.at, lag)
        else:
            self.commits.append(Commit(offset, at, lag))

    def ended(self, end: int, start: int, now: int) -> None:
        """Note the partition's first and end offset, at most one in ten seconds for the ring."""
        if now - self._end_at >= MIN_DISTANCE_MS or not self.ends:
            self.ends.append(end)
            self._end_at = now
        self.start = start
        offset = self.offset
        self.lag = 0 if offset is None else max(0, end - offset)
        if self.lag == 0:
            self._moved_at = now

    @property
    def offset(self) -> int | None:
        """The last commit."""
        return self.commits[-1].offset if self.commits else None

    @property
    def complete(self) -> float:
        """Share of the window that is filled."""
        return len(self.commits) / COMMITS

    @property
    def is_lost(self) -> bool:
        """Whether records that were not read yet are gone from the log: the worst state."""
        return self.offset is not None and self.offset < self.start

    def trend(self) -> int:
        """See :func:`hub.monitoring.lags.trend`."""
        return trend(self.commits, self.lag)

    def still_ms(self, now: int) -> int:
        """For how long nothing moved although there was something to do."""
        return 0 if self._moved_at is None or self.lag == 0 else max(0, now - self._moved_at)

    def status(self, now: int) -> Status:
        """The state now; STOP and STALL after thirty seconds without progress, WARN when full."""
        found = status(list(self.commits), self.lag, now, ends=self.ends, complete=self.complete)
        if found in {Status.STOP, Status.STALL} and self.still_ms(now) < NO_PROGRESS_MS:
            return Status.OK
        if found is Status.WARN and self.complete < 1:
            return Status.OK
        return found
