"""Names: the words of the declarations for departments, programs, events, topics and codes."""

from __future__ import annotations

from typing import Any

from hub.contracts.catalogues import catalogue
from hub.kernel.reasons import CODES
from hub.monitoring.findings import Finding, kinds

Label = tuple[str, str]
"""Chinese, English."""


class Names:
    """Labels out of the declarations; a name that has none stands for itself.

    Args:
        manifests: Declared departments.
    """

    def __init__(self, manifests: dict[str, Any]) -> None:
        self._manifests = manifests

    def department(self, name: str) -> Label:
        """A department, also out of ``/gov/<division>/<connector>``."""
        short = name.rpartition("/")[2]
        found = self._manifests.get(short)
        return (found.zh, found.en) if found else self.program(short)

    def program(self, name: str) -> Label:
        """A program or recipient."""
        grant = catalogue().grants.get(name)
        return (grant.zh, grant.en) if grant else (name, name)

    def who(self, name: str) -> Label:
        """A department or a program."""
        return self.department(name) if name in self._manifests else self.program(name)

    def item(self, connector: str, item: str) -> Label:
        """An item of a department."""
        found = self._manifests.get(connector)
        for one in found.items if found else ():
            if one.id == item:
                return one.zh, one.en
        return item, item

    def event(self, name: str) -> Label:
        """An event type."""
        declared = catalogue().events.get(name)
        return (declared.zh, declared.en) if declared else (name, name)

    def topic(self, name: str) -> Label:
        """A topic with its department or program."""
        found = catalogue().topics.get(name)
        if found is None:
            return name, name
        owner = self.who(found.owner)
        if found.owner == "hub" or owner[0] == found.owner:
            return found.zh, found.en
        return f"{owner[0]} · {found.zh}", f"{owner[1]} · {found.en}"

    def code(self, name: str) -> Label:
        """What a dead-letter code means and what to do."""
        reason = CODES.get(name)
        return (reason.zh, reason.en) if reason else (name, name)

    def field(self, path: str) -> Label:
        """A field path such as ``id.name``."""
        group, _, name = path.partition(".")
        declared = catalogue().groups.get(group)
        found = declared.fields.get(name) if declared else None
        return (found.zh, found.en) if found else (path, path)

    def _subject(self, finding: Finding) -> Label:
        """What a finding is about: a topic, an item, a code, or plain text."""
        if finding.kind in {"silent", "flood"}:
            return self.item(finding.who, finding.what)
        if finding.kind in {"rejects", "rejects_few"}:
            return finding.what, finding.what
        return self.topic(finding.what)

    def sentence(self, finding: Finding, span: Label) -> Label:
        """A finding as a sentence in both languages."""
        kind, who, what = kinds()[finding.kind], self.who(finding.who), self._subject(finding)
        zh, en = (
            text.format(who=who[at], what=what[at], n=f"{finding.n:,}", span=span[at])
            for at, text in ((0, kind.zh), (1, kind.en))
        )
        return zh, en
