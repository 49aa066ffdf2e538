"""Cases: one file each, ``f04_zombies.py``; found by their ``CASE``.

A file has two names::

    CASE = Case("F04", "僵尸进程", "Zombie worker", quick=Scale(...), full=Scale(...), ...)

    async def inject(site: Site, scale: Scale, dice: random.Random) -> None: ...

Around ``inject`` the harness does the rest: it starts the site (database and topics of its own,
workers, gateway, connectors, witness), lets the load bring its families on roll and then run on at
its rate, calls ``inject``, heals everything (weather, brokers, database, stopped processes), waits
for R6 with a fresh probe, ends the load, waits until nothing is under way, and lets the verifier
judge. A case is red for any breach, for a recovery or stall above the limits of its scale, for
each reason it put into ``site.broken``, and when a process ended in a loop of crashes.

``inject`` uses only (see ``harness/sites.py``, ``proxies.py``, ``children.py``):

* ``site.workers[i]``, ``site.gateway``, ``site.connectors[id]``: ``kill()``, ``freeze()``,
  ``thaw()``, ``stop()``, ``await start(HUB_FAILPOINTS="batch.claim:1")``, ``await ended(s)``,
  ``pid``, ``exits``, ``limits``, ``again``; ``site.make_worker(name, stages=…)`` makes more.
  A process that ends is started again by its supervisor, without the variables of ``start``;
  ``worker.lives.append({"HUB_FAILPOINTS": "relay.marked:1"})`` arms a coming life.
* ``site.plant.stop_at_once()``, ``await site.plant.server.start()`` for PostgreSQL;
  ``site.cluster.nodes[i].kill()``, ``await site.cluster.whole()``, ``leader(topic, partition)``.
* ``site.postgres`` (workers), ``site.gateway_postgres``, ``site.cluster.proxies[i]``:
  ``weather = Weather(...)``, ``cut()``, ``sever()``, ``clear()``, ``commits = CommitCut(...)``.
* ``site.hooks``: the webhooks' receiver; ``status``, ``slow``, ``stop()``, ``start()``.
* ``site.plant.disks["kafka"].fill(leave_kb=64)`` and ``free()``, with ``Case(disks=("kafka",),
  needs=(ROOT_RIGHTS,))``: the case then gets services of its own on a tmpfs of 512 MB.
* ``site.plant.disks[KAFKA].fill()`` where the case has ``disks``; ``MemoryGroup`` for a kernel
  that kills for want of memory; ``afflict(site, worker)``, then ``worker.signal(BLOCK)`` or
  ``STARVE``; ``site.shift_clock(s)``; ``logs.jump``, ``expire``, ``remake``, ``lose_offsets``.
* ``operate(site, "offsets", "show")`` runs a command of the hub; ``Pulse(site, seed)`` times urgent
  facts meanwhile; ``more_load(site, name, rate, seconds, seed)``; ``crowding()`` of the machine.
* ``site.query(sql)``, ``site.metrics(child)``, ``site.health(child)``, ``site.hits(failpoint)``,
  ``await site.until(condition, seconds, "what")``, ``site.tell("中文 · English")``,
  ``site.notes[...]`` for the report.

A case without background load (``Load(rate=0)``) sends facts of its own with ``sending``:
``Builder``, ``Generator`` and ``Ledger`` of ``tests.faults.loads`` on ``site.ledger``.

Random choices come from ``dice`` only. Times and rounds come from ``scale``. Needs that a machine
may lack stand in ``CASE.needs``. ``CASE.sabotages`` names what must turn the case red.
"""
