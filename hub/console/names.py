"""Names: the words of the declarations for departments, programs, events, topics and codes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from hub.kernel.settings import Settings
from hub.monitoring.findings import Finding, words
from hub.monitoring.spans import span
from hub.sdk.manifests import Manifest, load_manifests
from hub.sdk.profiles import Profile, load_profile
from hub.tracking import labels
from hub.tracking.labels import Label


class Names:
    """Labels (Chinese, English) out of the declarations; a name without one stands for itself.

    Args:
        settings: Name the profile.
        manifests: Declared departments.
    """

    def __init__(self, settings: Settings, manifests: dict[str, Manifest]) -> None:
        self._settings = settings
        self.manifests = manifests

    @cached_property
    def profile(self) -> Profile:
        """The jurisdiction's rules with their sentences.

        Raises:
            ConfigurationError: no such profile, or it is wrong.
        """
        return load_profile(self._settings.profile, self._settings.profiles_dir)

    def department(self, name: str) -> Label:
        """A department, also out of ``/gov/<division>/<connector>``."""
        return labels.connector(self, name)

    def program(self, name: str) -> Label:
        """A program or recipient."""
        return labels.program(name)

    def who(self, name: str) -> Label:
        """A department or a program."""
        return self.department(name)

    def item(self, connector: str, item: str) -> Label:
        """An item of a department."""
        found = self.manifests.get(connector)
        for one in found.items if found else ():
            if one.id == item:
                return one.zh, one.en
        return item, item

    def event(self, name: str) -> Label:
        """An event type."""
        return labels.event(name)

    def topic(self, name: str) -> Label:
        """A topic with its department or program."""
        return labels.topic(self, name)

    def code(self, name: str) -> Label:
        """What a dead-letter code means and what to do."""
        return labels.code(name)

    def field(self, path: str) -> Label:
        """A field path such as ``id.name``."""
        return labels.field(path)

    def work(self, kind: str) -> Label:
        """A kind of case or task."""
        return labels.of(labels.KINDS, kind)

    def state(self, name: str) -> Label:
        """A state of a referral, case or task."""
        return labels.of(labels.STATES, name)

    def rule(self, name: str) -> Label:
        """The sentence of a rule of the profile in force."""
        return labels.rule(self, name)

    def _subject(self, finding: Finding) -> Label:
        """What a finding is about: a topic, an item, a code, or plain text."""
        if finding.kind in {"silent", "flood"}:
            return self.item(finding.who, finding.what)
        if finding.kind in {"rejects", "rejects_few"}:
            return finding.what, finding.what
        zh, en = self.topic(finding.what)
        # Topics of one kind share a name: the address tells them apart.
        return (zh, en) if zh == finding.what else (f"{zh} {finding.what}", f"{en} {finding.what}")

    def sentence(self, finding: Finding, span: Label) -> Label:
        """A finding as a sentence in both languages."""
        near, who, what = words(finding), self.who(finding.who), self._subject(finding)
        zh, en = (
            text.format(who=who[at], what=what[at], n=f"{finding.n:,}", span=span[at])
            for at, text in ((0, near.zh), (1, near.en))
        )
        return zh, en


def sentences(settings: Settings) -> Callable[[Finding], Label]:
    """A function from a finding to its sentence, for what runs outside the console.

    Raises:
        ConfigurationError: a manifest is wrong.
    """
    names = Names(settings, load_manifests(settings))
    return lambda one: names.sentence(one, (span(one.ms, "zh"), span(one.ms, "en")))
