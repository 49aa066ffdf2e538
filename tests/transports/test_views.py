"""Views: nothing that commits late is missed, nothing is published twice without need."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from hub.kernel.clocks import SHANGHAI, SystemClock
from hub.kernel.errors import ConfigurationError
from hub.sdk.ways import ViewOptions
from hub.transports.tables import TimeOrder, source_engine
from hub.transports.views import ViewReader

TABLE = """
CREATE SCHEMA "Exchange";
CREATE TABLE "Exchange".stays (
    id integer, id_number text, amount numeric(12, 2), updated timestamptz, number bigserial);
CREATE VIEW "Exchange"."住院" AS SELECT * FROM "Exchange".stays;
"""
INSERT = 'INSERT INTO "Exchange".stays VALUES ($1, $2, 12.50, clock_timestamp())'
PERSON = "99068219520101103X"


class MovableClock:
    def __init__(self):
        self.instant = datetime(2025, 4, 1, tzinfo=SHANGHAI)

    def now(self):
        return self.instant


class Site:
    """The department's database and a reader of its view."""

    def __init__(self, connection, other, engine, department):
        self.connection, self.other, self.engine = connection, other, engine
        self.department = department
        self.clock = MovableClock()

    def reader(self, **options):
        given = {
            "table": "Exchange.住院",
            "key": ["id"],
            "order": "updated",
            "order_kind": "timestamp",
            "overlap": "PT5M",
            "page": 3,
        }
        deletions = options.pop("deletions", "ignore")
        hit = options.pop("hit", lambda _point: None)
        return ViewReader(
            self.engine,
            ViewOptions(**(given | options)),
            self.department.maker,
            self.department.sink,
            self.department.cursors,
            self.clock,
            deletions=deletions,
            hit=hit,
        )

    async def insert(self, *numbers, connection=None):
        for number in numbers:
            await (connection or self.connection).execute(INSERT, number, PERSON)


@pytest.fixture
async def site(fresh_database, department):
    dsn = await fresh_database()
    engine = source_engine(dsn)
    connection, other = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    await connection.execute(TABLE)
    yield Site(connection, other, engine, department)
    await connection.close()
    await other.close()
    await engine.dispose()


async def ids(site):
    return sorted(arrived.row["id"] for arrived in await site.department.arrived())


async def test_rows_arrive_once_page_by_page_as_json(site):
    await site.insert(*range(7))
    first = await site.reader().poll()
    again = await site.reader().poll()
    assert (first.sent, again.sent) == (7, 0)
    arrived = await site.department.arrived()
    assert sorted(one.row["id"] for one in arrived) == list(range(7))
    assert arrived[0].row["amount"] == "12.50"
    assert arrived[0].row["updated"].endswith("+08:00")
    assert {one.key for one in arrived} == {site.department.maker._route.route(PERSON)}


async def test_a_row_whose_transaction_commits_late_is_found_in_the_overlap(site):
    reader = site.reader()
    async with site.other.transaction():
        await site.insert(1, connection=site.other)
        await site.insert(2, 3, 4, 5)
        assert (await reader.poll()).sent == 4
    assert (await reader.poll()).sent == 1
    assert await ids(site) == [1, 2, 3, 4, 5]


async def test_a_number_given_before_a_late_commit_is_found_in_the_overlap(site):
    reader = site.reader(order="number", order_kind="sequence", overlap="10")
    async with site.other.transaction():
        await site.insert(1, connection=site.other)
        await site.insert(2, 3, 4, 5)
        assert (await reader.poll()).sent == 4
    assert (await reader.poll()).sent == 1
    assert await ids(site) == [1, 2, 3, 4, 5]


async def test_a_row_later_than_the_overlap_is_found_by_the_sweep_of_all_keys(site):
    reader = site.reader(overlap="PT1S")
    await site.insert(1, 2)
    await reader.poll()
    await site.connection.execute(
        """INSERT INTO "Exchange".stays VALUES (3, NULL, 1, now() - interval '1 day'),
           (4, NULL, 1, NULL), (NULL, NULL, 1, now() - interval '1 day')"""
    )
    assert (await reader.poll()).sent == 0
    site.clock.instant += timedelta(days=1)
    assert (await reader.poll()).sent == 3
    site.clock.instant += timedelta(days=1)
    assert [one.row["id"] for one in await site.department.arrived()].count(3) == 1


async def test_a_changed_row_is_published_again_with_an_id_of_its_own(site):
    reader = site.reader()
    await site.insert(1)
    await reader.poll()
    await site.connection.execute('UPDATE "Exchange".stays SET amount = 99')
    assert (await reader.poll()).sent == 1
    assert len({one.event_id for one in await site.department.arrived()}) == 2


async def test_a_vanished_row_is_told_by_its_key_in_the_same_partition(site):
    reader = site.reader(deletions="annul")
    await site.insert(1, 2)
    await reader.poll()
    await site.connection.execute('DELETE FROM "Exchange".stays WHERE id = 2')
    site.clock.instant += timedelta(days=1)
    assert (await reader.poll()).deleted == 1
    last = (await site.department.arrived())[-1]
    assert last.row == {"id": 2, "__deleted": True}
    assert last.key == site.department.maker._route.route(PERSON)
    site.clock.instant += timedelta(days=1)
    assert (await reader.poll()).deleted == 0


async def test_an_emptied_table_is_not_believed(site):
    reader = site.reader(deletions="annul", page=100)
    await site.insert(*range(21))
    await reader.poll()
    await site.connection.execute('TRUNCATE "Exchange".stays')
    site.clock.instant += timedelta(days=1)
    done = await reader.poll()
    assert (done.deleted, done.held) == (0, 21)
    assert len(await site.department.arrived()) == 21


@pytest.mark.parametrize("point", ["src.read", "src.published", "src.cursor"])
async def test_a_connector_killed_at_any_point_reads_again_with_the_same_ids(site, point):
    def kill(name):
        if name == point:
            raise KeyboardInterrupt

    await site.insert(*range(5))
    with pytest.raises(KeyboardInterrupt):
        await site.reader(hit=kill).poll()
    await site.reader().poll()
    arrived = await site.department.arrived()
    assert {one.row["id"] for one in arrived} == set(range(5))
    assert len({one.event_id for one in arrived}) == 5


async def test_a_row_over_the_limit_leaves_a_digest_and_never_its_content(site):
    await site.connection.execute(
        'INSERT INTO "Exchange".stays VALUES (1, $1, 1, now())', "张" * 1000
    )
    done = await site.reader().poll()
    assert (done.sent, done.refused) == (0, 1)
    assert await site.department.arrived() == []
    (letter,) = await site.department.refused()
    assert letter.row["code"] == "E-TOO-LARGE"
    assert letter.row["size"] > 3000
    assert "张张" not in letter.value.decode()


@asynccontextmanager
async def refused(text):
    with pytest.raises(ConfigurationError, match=text) as found:
        yield
    assert "请" in found.value.message_zh


async def test_a_wrong_table_or_column_is_named(site):
    async with refused("nowhere"):
        await site.reader(table="nowhere").poll()
    async with refused("column nothing"):
        await site.reader(order="nothing").poll()
    async with refused("timestamp in column id_number"):
        await site.reader(order="id_number").poll()


def test_a_position_stays_behind_the_start_of_the_poll_and_never_goes_back():
    started = datetime(2025, 4, 1, 12, tzinfo=UTC)
    order = TimeOrder(timedelta(minutes=5), started)
    ahead = started + timedelta(hours=1)
    assert order.behind(ahead, None) == started - timedelta(minutes=5)
    assert order.behind(started, ahead) == ahead
    assert order.behind(datetime.min.replace(tzinfo=UTC), None) is None


async def test_the_departments_database_is_only_read(site):
    async with site.engine.connect() as connection:
        with pytest.raises(Exception, match="read-only"):
            await connection.exec_driver_sql('DELETE FROM "Exchange".stays')
    assert SystemClock().now()
