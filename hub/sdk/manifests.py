"""Manifests: what a department shares, how it comes, and what events it may become.

One folder per connector with ``manifest.yaml`` and ``mappings.py``. Shipped ones stand in the
package ``connectors``; more folders come from ``HUB_CONNECTORS``.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, model_validator

from hub.contracts.catalogues import Catalogue, catalogue
from hub.contracts.declarations import read
from hub.kernel.errors import ConfigurationError
from hub.kernel.settings import Settings, settings
from hub.sdk.durations import duration_ms
from hub.sdk.ways import (
    Duration,
    FileOptions,
    ManualOptions,
    Options,
    QueueOptions,
    RestOptions,
    Strict,
    Text,
    ViewOptions,
    Way,
)

FILE = "manifest.yaml"
CONTENT_HASH = "content_hash"
"""Version of records whose source counts none: a digest of the record."""

_ZH = {"missing": "缺少此键", "extra_forbidden": "未知的键", "string_type": "应为文字"}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Refresh(Strict):
    """How often something new is expected."""

    every: Duration
    working_days: bool = False
    """Count working days only: a weekend is no silence."""

    @property
    def every_ms(self) -> int:
        """The span in ms."""
        return duration_ms(self.every)


class Listing(Strict):
    """Columns of a list that gets an answer per row (which file it came in does not matter)."""

    ref: Text
    """Number of the list."""
    row: Text
    """Number of the row."""
    total: Text
    """Rows in the list."""


class Item(Strict):
    """One kind of record of a department.

    ``key``, ``person`` and ``version`` name fields of the raw record; a dot leads into an
    object (``input.mdtrtinfo.mdtrt_id``).
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    zh: Text
    en: Text
    ways: Annotated[list[Way], BeforeValidator(_listed)] = Field(min_length=1)
    """Ways in force; the first is the usual one."""
    topic: str = Field(pattern=r"^in\.[a-z0-9-]+\.[a-z0-9-]+$")
    events: list[Text] = Field(min_length=1)
    """Event types its records may become."""
    mapping: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """Function in ``mappings.py``."""
    key: Annotated[list[Text], BeforeValidator(_listed)] = Field(min_length=1)
    """Fields that identify the record at the source; never an ID number."""
    person: str = ""
    """Field with the ID number; empty: the record names no person."""
    version: Text
    """Field with the version, or ``content_hash``."""
    refresh: Refresh
    listing: Listing | None = None
    """Columns of a list whose rows are answered; a row that fails is answered, too."""
    rank: int = Field(50, ge=0, le=99)
    """Rank of the source where facts of one day disagree; the higher one counts."""
    legal_basis: Text
    purpose: Text
    catalog_id: Text
    """Item of the government data catalogue."""
    view: ViewOptions | None = None
    file: FileOptions | None = None
    rest: RestOptions | None = None
    queue: QueueOptions | None = None
    manual: ManualOptions | None = None

    _connector: str = PrivateAttr("")
    _division: str = PrivateAttr("")

    @model_validator(mode="after")
    def _options_stand(self) -> Item:
        for way in self.ways:
            if self.options(way) is None:
                raise ValueError(f"ways names {way} but the key '{way}' is missing")
        if self.person and self.person in self.key:
            raise ValueError("key holds the ID number; name a number of the record instead")
        return self

    @property
    def way(self) -> Way:
        """The usual way."""
        return self.ways[0]

    @property
    def connector(self) -> str:
        """Id of the connector the item belongs to."""
        return self._connector

    @property
    def source(self) -> str:
        """``ce_source`` of its records: ``/gov/<division>/<connector>``."""
        return f"/gov/{self._division}/{self._connector}"

    @property
    def division(self) -> str:
        """Division of the department, where a record names none."""
        return self._division

    def options(self, way: Way | None = None) -> Options | None:
        """Options of one way, of the usual one if none is given."""
        found: Options | None = getattr(self, way or self.way)
        return found


class Manifest(Strict):
    """A connector: one department, its items."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    zh: Text
    en: Text
    division: str = Field(pattern=r"^[0-9]{6}$")
    """Division of the department; the middle of ``ce_source``."""
    items: list[Item] = Field(min_length=1)

    _folder: Path = PrivateAttr(default_factory=Path)

    @property
    def folder(self) -> Path:
        """Where the manifest stands."""
        return self._folder

    @property
    def source(self) -> str:
        """``ce_source`` of its records."""
        return f"/gov/{self.division}/{self.id}"

    def item(self, name: str) -> Item:
        """An item by its id or topic.

        Raises:
            ConfigurationError: no such item.
        """
        for item in self.items:
            if name in {item.id, item.topic}:
                return item
        raise ConfigurationError(
            f"The connector {self.id} has no item {name}.",
            hint=f"Its items: {', '.join(item.id for item in self.items)}.",
            message_zh=f"连接器 {self.id} 没有数据项 {name}。",
        )


def load_manifest(folder: Path, declared: Catalogue | None = None) -> Manifest:
    """Read and check one connector's manifest.

    Args:
        folder: The connector's folder.
        declared: Event types and topics; ``None``: the shipped catalogue.

    Raises:
        ConfigurationError: names file, item and key, Chinese and English, every finding.
    """
    path = folder / FILE
    tree = read(path, dict[str, Any])
    try:
        manifest = Manifest.model_validate(tree)
    except ValidationError as error:
        raise _refusal(path, [_finding(tree, entry) for entry in error.errors()]) from None
    manifest._folder = folder  # noqa: SLF001 - set once, here
    for item in manifest.items:
        item._connector, item._division = manifest.id, manifest.division  # noqa: SLF001 - as above
    findings = [*_own_findings(manifest), *_contract_findings(manifest, declared or catalogue())]
    if findings:
        raise _refusal(path, findings)
    return manifest


def load_manifests(
    chosen: Settings | None = None, declared: Catalogue | None = None
) -> dict[str, Manifest]:
    """Every connector, shipped and own, by id.

    Args:
        chosen: Settings; ``None``: those of the process.
        declared: Event types and topics; ``None``: the shipped catalogue.

    Raises:
        ConfigurationError: a manifest is wrong, or two connectors share an id or a topic.
    """
    found: dict[str, Manifest] = {}
    topics: dict[str, str] = {}
    for folder in connector_folders(chosen or settings()):
        manifest = load_manifest(folder, declared)
        if manifest.id in found:
            other = found[manifest.id].folder / FILE
            raise _refusal(folder / FILE, [("id", f"编号已用于 {other}", f"id is used by {other}")])
        found[manifest.id] = manifest
        for item in manifest.items:
            owner = topics.setdefault(item.topic, manifest.id)
            if owner != manifest.id:
                place = f"items[{item.id}].topic"
                raise _refusal(
                    folder / FILE, [(place, f"主题属于 {owner}", f"the topic belongs to {owner}")]
                )
    return found


def connector_folders(chosen: Settings) -> list[Path]:
    """Folders of all connectors: shipped ones, then those of ``HUB_CONNECTORS``.

    An entry of ``HUB_CONNECTORS`` is a connector itself or a folder of connectors.

    Raises:
        ConfigurationError: an entry is no folder or holds no connector.
    """
    folders = _inside(shipped_folder())
    for entry in filter(None, chosen.connectors.split(os.pathsep)):
        folder = Path(entry).expanduser().resolve()
        inside = [folder] if (folder / FILE).is_file() else _inside(folder)
        if not inside:
            raise ConfigurationError(
                f"HUB_CONNECTORS names {folder}, which holds no {FILE}.",
                hint="Name a connector's folder or the folder above it.",
                message_zh=f"HUB_CONNECTORS 中的 {folder} 内没有 {FILE}。",
            )
        folders += inside
    return folders


def shipped_folder() -> Path:
    """The folder of the shipped connectors.

    Raises:
        ConfigurationError: the package ``connectors`` is not installed.
    """
    spec = find_spec("connectors")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            "The package 'connectors' is missing.", hint="Install the hub again."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _inside(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"*/{FILE}"))


Finding = tuple[str, str, str]
"""Key, Chinese, English."""


def _finding(tree: dict[str, Any], entry: Any) -> Finding:
    place = ""
    at: Any = tree
    for part in entry["loc"]:
        if isinstance(part, int):
            at = at[part]
            place += f"[{at.get('id', part) if isinstance(at, dict) else part}]"
        else:
            at = at.get(part) if isinstance(at, dict) else None
            place += f".{part}" if place else str(part)
    message = str(entry["msg"]).removeprefix("Value error, ")
    return place, _ZH.get(entry["type"], f"值不符合要求({message})"), message


def _own_findings(manifest: Manifest) -> list[Finding]:
    findings = []
    ids = [item.id for item in manifest.items]
    for item in manifest.items:
        place = f"items[{item.id}]"
        if ids.count(item.id) > 1:
            findings.append((place, "数据项编号重复", "the item id stands there twice"))
        if item.topic.split(".")[1] != manifest.id:
            findings.append(
                (
                    f"{place}.topic",
                    f"主题应以 in.{manifest.id}. 开头",
                    f"the topic begins with in.{manifest.id}.",
                )
            )
    return findings


def _contract_findings(manifest: Manifest, declared: Catalogue) -> list[Finding]:
    findings = []
    for item in manifest.items:
        for name in item.events:
            place = f"items[{item.id}].events"
            event = declared.events.get(name)
            if event is None:
                findings.append((place, f"{name} 未登记", f"{name} is no declared event type"))
            elif manifest.id not in event.publishers:
                findings.append(
                    (
                        place,
                        f"{manifest.id} 无权发布 {name}",
                        f"{manifest.id} may not publish {name}",
                    )
                )
    return findings


def _refusal(path: Path, findings: list[Finding]) -> ConfigurationError:
    english = "; ".join(f"{key}: {en}" if key else en for key, _, en in findings)
    chinese = ";".join(f"{key}:{zh}" if key else zh for key, zh, _ in findings)
    return ConfigurationError(
        f"{path}: {english}.",
        hint="Correct this manifest; nothing was started.",
        message_zh=f"{path}:{chinese}。请更正该清单。",
    )
