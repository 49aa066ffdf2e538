"""D04: bytes nobody can use; each is a dead letter with its reason, and the partition goes on."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import httpx

from tests.faults import sites
from tests.faults.harness.declarations import Case, Load, Scale
from tests.faults.harness.recoveries import rested
from tests.faults.harness.sendings import Sending, refused, sending
from tests.faults.harness.sites import Site
from tests.faults.loads.facts import Move

CASE = Case(
    "D04",
    "毒消息:截断、GBK、深嵌套、NaN、超大、压缩炸弹",
    "Poison: cut off, GBK, nesting, NaN, too large, gzip bomb",
    quick=Scale(rounds=2, load=Load(rate=0), recovery=45),
    full=Scale("full", rounds=300, load=Load(rate=0), recovery=120),
    ci=True,
    workers=1,
    connectors=("civil-affairs", "hrss"),
    allow=("E-TOO-LARGE",),
    sabotages=("crash_swallowed",),
)
_DEPTH = 10_000
_GROWTH_MB = 50
_FIVE_MB = 5_000_000


def poison(mark: str) -> list[tuple[bytes, str]]:
    """Bodies with their codes; the mark makes them differ from round to round."""
    tag = mark.encode()
    return [
        (b'{"recordNo": "' + tag + b'", "action"', "E-JSON"),
        (('{"姓名": "张三", "n": "' + mark + '"}').encode("gbk"), "E-ENCODING"),
        (('{"姓名": "' + mark + '"}').encode("utf-16"), "E-ENCODING"),
        (b'\xef\xbb\xbf{"recordNo": "' + tag + b'"}', "E-JSON"),
        (b'{"recordNo": "' + tag + b'", "amount": NaN}', "E-JSON"),
        (b'{"recordNo": "' + tag + b'", "amount": -Infinity}', "E-JSON"),
        (b'["' + tag + b'"]', "E-FIELD-TYPE"),
        (b'{"only": "' + tag + b'"}', "E-FIELD-MISSING"),
        (b'{"a":' * _DEPTH + b'"' + tag + b'"' + b"}" * _DEPTH, "E-JSON"),
        (gzip.compress(b"0" * 1_000_000 + tag), "E-ENCODING"),
        (bytes(range(32)) + tag, "E-JSON"),
    ]


async def inject(site: Site, scale: Scale, dice: random.Random) -> None:
    """Poison between good facts of the same queue, then bodies too large at the gateway."""
    async with sending(site, dice.randrange(1, 4000)) as out:
        await out.send([out.builder.grant(out.family()) for _ in range(5)])
        await rested(site)
        before = _resident_mb(site)
        for number in range(scale.rounds):
            await out.send(_mixed(out, f"{number}-{dice.randrange(1 << 30)}", dice))
            await rested(site)
        site.notes["memory growth MB"] = grown = _resident_mb(site) - before
        if grown > _GROWTH_MB:
            site.broken.append(f"memory grew by {grown} MB, at most {_GROWTH_MB}")
    await _too_large(site)
    if any(child.exits for child in site.children):
        site.broken.append("a process ended")


def _mixed(out: Sending, mark: str, dice: random.Random) -> list[Move]:
    moves = [refused(out.builder.broken(), body, code, key="") for body, code in poison(mark)]
    dice.shuffle(moves)
    return [one for move in moves for one in (move, out.builder.grant(out.family()))]


async def _too_large(site: Site) -> None:
    """A body of 5 MB and one that unpacks to a gigabyte: refused, nobody dies of it."""
    key = sites.load(site.file).keys["department:police"]
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    bomb = gzip.compress(b"0" * (200 * _FIVE_MB // 5), compresslevel=9)
    async with httpx.AsyncClient(
        base_url=site.gateway_url, timeout=30, trust_env=False, headers=headers
    ) as client:
        big = b'{"zxbh": "' + b"x" * _FIVE_MB + b'"}'
        answers = [
            await client.post("/in/police/deaths", content=big),
            await client.post(
                "/in/police/deaths", content=bomb, headers={"content-encoding": "gzip"}
            ),
        ]
    site.notes["gateway answers"] = [answer.status_code for answer in answers]
    if not all(400 <= answer.status_code < 500 for answer in answers):
        site.broken.append(f"the gateway answered {site.notes['gateway answers']}")


def _resident_mb(site: Site) -> int:
    status = Path(f"/proc/{site.workers[0].pid}/status").read_text()
    line = next(one for one in status.splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) // 1024
