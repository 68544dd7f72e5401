"""What every collector must keep, over real HTTP and through the real runner.

The numbers are those of the guarantees that docs/collectors.md lists. A class that
inherits from `CollectorConformance` and gives a `world` runs all of them.
"""

from __future__ import annotations

import time
from datetime import UTC, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from config.clock import utc_now
from config.errors import AppError, PermanentError, TransientError
from listener.collection_models import QuarantinedItem, SourceCursor
from listener.models import Brand, Gap, Mention, Source
from listener.query import parse
from listener.results import CollectResult
from listener.service import collect
from listener.types import Page, Walk
from tests.listener.worlds import World
from tests.make import make_brand

QUERY = "nordlicht"

#: What people write: wide and joined emoji, right to left, entities, composed letters.
HARD_TEXT = "👩🏽‍🚀🇳🇴 & <b>bold</b> שלום مرحبا Łódź naïve @nordlicht & done"


class Killed(BaseException):
    """What ends a process between two lines."""


class Runner:
    """A source in a database, and the real way to collect it."""

    def __init__(self, sessions: sessionmaker[Session], world: World, query: str = QUERY) -> None:
        self.sessions = sessions
        self.world = world
        with sessions.begin() as session:
            source = Source(
                brand_id=make_brand(session, query=query).id,
                name=world.name,
                platform=world.platform,
                options={},
                every_s=60,
                created_at=utc_now(),
            )
            session.add(source)
            session.flush()
            self.source_id = source.id

    def collect(self, *, page_size: int = 10, **how: Any) -> CollectResult:
        collector = self.world.collector(page_size=page_size)
        try:
            return collect(self.sessions, self.source_id, collector=collector, **how)
        finally:
            collector.close()

    def mentions(self) -> list[Mention]:
        with self.sessions() as session:
            return list(session.scalars(select(Mention).order_by(Mention.published_at)))

    def ids(self) -> set[str]:
        return {mention.external_id for mention in self.mentions()}

    def gaps(self) -> list[Gap]:
        with self.sessions() as session:
            return list(session.scalars(select(Gap).order_by(Gap.id)))

    def count(self, model: type[Any]) -> int:
        with self.sessions() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0

    def forget_cursor(self) -> None:
        with self.sessions.begin() as session:
            session.execute(delete(SourceCursor))


def ask(
    cursor: str | None = None, *, query: str = QUERY, back: timedelta = timedelta(hours=6)
) -> Walk:
    now = utc_now()
    return Walk(cursor=cursor, query=parse(query), since=now - back, now=now)


def read(world: World, walk: Walk, *, page_size: int = 10) -> list[Page]:
    collector = world.collector(page_size=page_size)
    try:
        return list(collector.pages(walk))
    finally:
        collector.close()


def ids_of(pages: list[Page]) -> set[str]:
    return {post.external_id for page in pages for post in page.posts}


class CollectorConformance:
    """Guarantees 1 to 8 and 12 to 18, for one kind of source."""

    @pytest.fixture
    def runner(self, sessions: sessionmaker[Session], world: World) -> Runner:
        return Runner(sessions, world)

    # 1: at least once, stored once

    def test_reading_everything_twice_changes_nothing(self, runner: Runner, world: World) -> None:
        published = world.ids(world.publish(25))
        first = runner.collect()

        runner.forget_cursor()
        second = runner.collect()

        assert runner.ids() == published
        assert (first.new, second.new, second.changed) == (25, 0, 0)

    def test_a_page_with_doubles_is_stored_once(self, runner: Runner, world: World) -> None:
        published = world.ids(world.publish(8))
        world.fault("duplicate")

        runner.collect()

        assert runner.ids() == published

    # 2 and 3: cursors never ahead of data, walks go on

    def test_every_page_cursor_leads_to_all_that_was_not_read(self, world: World) -> None:
        published = world.ids(world.publish(35))
        pages = read(world, ask())

        assert ids_of(pages) == published
        assert len(pages) == (4 if world.is_paged else 1)
        for end in range(1, len(pages)):
            rest = read(world, ask(pages[end - 1].cursor))
            assert ids_of(pages[:end]) | ids_of(rest) == published

    def test_a_walk_killed_between_pages_goes_on(self, runner: Runner, world: World) -> None:
        before = world.publish(35, ends=utc_now() - timedelta(seconds=20))

        def kill(result: CollectResult) -> None:
            if result.pages == 2 or not world.is_paged:
                raise Killed

        with pytest.raises(Killed):
            runner.collect(on_page=kill)
        stored = len(runner.ids())
        after = world.publish(5)
        runner.collect()
        runner.collect()

        assert stored == (20 if world.is_paged else 35)
        assert runner.ids() == world.ids(before + after)

    def test_a_platform_that_fails_half_way_costs_nothing(
        self, runner: Runner, world: World
    ) -> None:
        published = world.ids(world.publish(35))
        world.fault("rate_limit", after=2 if world.is_paged else 0)

        with pytest.raises(TransientError):
            runner.collect()
        world.control.clear_faults()
        time.sleep(1.05)  # the limit's reset
        runner.collect()

        assert runner.ids() == published

    # 4: late and out of order

    def test_a_late_post_is_found_by_the_next_run(self, runner: Runner, world: World) -> None:
        now = utc_now()
        world.publish(12, ends=now)
        runner.collect()
        late = world.add([world.post("late", now - timedelta(seconds=30))])

        runner.collect()

        assert world.ids(late) <= runner.ids()

    def test_a_page_out_of_order_costs_nothing(self, runner: Runner, world: World) -> None:
        published = world.ids(world.publish(35))
        world.fault("out_of_order", times=2)

        runner.collect()
        runner.collect()

        assert runner.ids() == published

    @pytest.mark.parametrize("after", [0, 1, 3])
    def test_a_page_that_is_empty_for_a_moment_costs_nothing(
        self, runner: Runner, world: World, after: int
    ) -> None:
        published = world.ids(world.publish(35))
        world.fault("empty", after=after if world.is_paged else 0)

        runner.collect()
        runner.collect()

        assert runner.ids() == published
        assert runner.gaps() == []

    # 6: no single anchor

    def test_deleted_anchors_cost_nothing(self, runner: Runner, world: World) -> None:
        known = world.publish(15, ends=utc_now() - timedelta(seconds=60))
        runner.collect()
        world.control.delete(world.network, known)
        published = world.ids(world.publish(45))

        runner.collect()

        assert published <= runner.ids()
        assert [gap.kind for gap in runner.gaps() if world.is_paged] == []

    @pytest.mark.parametrize("what_is_given", ["empty", "first_page"])
    @pytest.mark.parametrize("how_many", [1, 10])
    def test_anchors_deleted_during_a_walk_cost_nothing(
        self, world: World, what_is_given: str, how_many: int
    ) -> None:
        published = world.publish(45)
        world.control.set_rules(reddit_dead_anchor=what_is_given)
        collector = world.collector()
        gone: set[str] = set()
        found: set[str] = set()
        gaps: list[Any] = []

        for number, page in enumerate(collector.pages(ask())):
            found |= {post.external_id for post in page.posts}
            gaps += page.gaps
            if number == 1:
                # The second page's last ones, of which the walk's place is made.
                last = published[-20:][:how_many]
                world.control.delete(world.network, last)
                gone = world.ids(last)
        collector.close()

        assert found | gone == world.ids(published)
        assert gaps == []

    # 7: time-outs

    @pytest.mark.parametrize("share", [0.0, 0.5])
    def test_a_server_that_hangs_is_given_up(self, world: World, share: float) -> None:
        world.publish(5)
        world.fault("hang", times=-1, share=share)
        world.timeout_s = 0.4
        start = time.monotonic()

        with pytest.raises(TransientError):
            read(world, ask())

        assert time.monotonic() - start < 12

    # 8: limits and failures

    @pytest.mark.parametrize("headers", ["reset", "retry_after", "none"])
    def test_a_rate_limit_says_how_long_to_wait(self, world: World, headers: str) -> None:
        world.publish(5)
        world.fault("rate_limit", headers=headers, seconds=30, times=-1)
        before = world.control.count(world.network)

        with pytest.raises(TransientError) as caught:
            read(world, ask())

        knows_reset = world.network != "feeds" or headers != "reset"
        if headers == "none" or not knows_reset:
            assert caught.value.retry_after_s is None
        else:
            assert caught.value.retry_after_s == pytest.approx(30, abs=3)
        assert world.control.count(world.network) - before <= 3  # signing in, and one try

    @pytest.mark.parametrize(
        ("kind", "options"),
        [
            ("status", {"status": 503}),
            ("html", {"status": 502}),
            ("reset", {"share": 0.0}),
            ("truncated", {"share": 0.0}),
        ],
    )
    def test_a_failure_passes_and_nothing_is_lost(
        self, runner: Runner, world: World, kind: str, options: dict[str, Any]
    ) -> None:
        published = world.ids(world.publish(5))
        world.fault(kind, times=-1, **options)
        with pytest.raises(TransientError):
            runner.collect()

        world.control.clear_faults()
        runner.collect()

        assert runner.ids() == published

    @pytest.mark.parametrize(("kind", "options"), [("truncated", {}), ("html", {"status": 200})])
    def test_half_an_answer_is_read_again(
        self, runner: Runner, world: World, kind: str, options: dict[str, Any]
    ) -> None:
        published = world.publish(9)
        world.fault(kind, times=1, **options)

        refused: AppError | None = None
        try:
            runner.collect()
        except (TransientError, PermanentError) as error:
            refused = error
        runner.collect()

        assert refused is not None or (world.platform == "rss" and kind == "truncated")
        assert runner.ids() == world.ids(published)
        assert all(
            mention.text.startswith(("nordlicht", "@", "u/")) for mention in runner.mentions()
        )

    # 12, 14, 17: the whole text, its times, its author

    def test_texts_come_whole_and_as_they_were_written(self, runner: Runner, world: World) -> None:
        at = utc_now().replace(microsecond=0) - timedelta(seconds=5)
        long = "word " * 150 + "end"
        world.add(
            [
                world.post(HARD_TEXT, at, author="grace", author_name="Grace 🚀"),
                world.post(long, at - timedelta(seconds=1)),
            ]
        )

        runner.collect()
        earlier, later = (mention.text for mention in runner.mentions())

        assert long in earlier
        assert "👩🏽‍🚀🇳🇴 & " in later
        assert "שלום مرحبا Łódź naïve @nordlicht & done" in later
        assert {mention.published_at for mention in runner.mentions()} == {
            at,
            at - timedelta(seconds=1),
        }
        assert all(mention.published_at.tzinfo is UTC for mention in runner.mentions())

    # 13: the raw answer

    def test_the_platforms_own_answer_is_kept(self, world: World) -> None:
        world.publish(1)

        [page] = read(world, ask())

        assert page.posts[0].raw

    # 15: one bad item

    @pytest.mark.parametrize("variant", ["no_id", "bad_date", "bad_types", "null", "text"])
    def test_one_bad_item_is_put_aside(self, runner: Runner, world: World, variant: str) -> None:
        published = world.ids(world.publish(9))
        world.fault("malformed", variant=variant)

        runner.collect()

        if variant in world.readable:
            # Where the text itself was spoiled, the brand's query does not find it.
            assert len(runner.mentions()) == (8 if variant == "bad_types" else 9)
            assert runner.count(QuarantinedItem) == 0
        else:
            assert len(published - runner.ids()) == 1
            assert runner.count(QuarantinedItem) == 1
        runner.collect()
        assert published <= runner.ids()

    # 16: one cursor per question, first runs bounded

    def test_a_first_run_is_bounded(self, runner: Runner, world: World) -> None:
        world.publish(5, ends=utc_now() - timedelta(days=3))
        new = world.publish(5)

        runner.collect()
        runner.collect()

        assert runner.ids() == world.ids(new)

    def test_an_edited_query_starts_again_within_bounds(self, runner: Runner, world: World) -> None:
        if not world.matches_query:
            pytest.skip("reads what is addressed to the brand, whatever the query")
        now = utc_now()
        world.add([world.post("lamp", now - timedelta(hours=1))])
        kettle = {
            **world.post("x", now - timedelta(hours=2)),
            "text": "a kettle",
            "title": "kettle",
        }
        world.add([kettle])
        runner.collect()
        with runner.sessions.begin() as session:
            session.scalars(select(Brand)).one().query = "nordlicht OR kettle"

        runner.collect()

        assert len(runner.ids()) == 2

    def test_another_credential_is_another_identity(self, world: World) -> None:
        collectors = [world.collector(), world.collector(), world.collector(credential="two")]
        first, same, other = (collector.identity() for collector in collectors)
        for collector in collectors:
            collector.close()

        assert first == same != other
        assert "one" not in first

    def test_a_cursor_that_cannot_be_read_starts_afresh(self, world: World) -> None:
        published = world.ids(world.publish(5))

        pages = read(world, ask('{"version": 99, "searches": 7, "listings": 7, "start_at": 7}'))

        assert ids_of(pages) == published

    # 18: silence

    def test_nothing_new_is_no_error_and_loses_nothing(self, runner: Runner, world: World) -> None:
        assert runner.collect().new == 0
        published = world.ids(world.publish(3))

        assert runner.collect().new == 3
        assert runner.collect().new == 0
        assert runner.ids() == published
        assert runner.gaps() == []

    def test_credentials_can_be_checked(self, world: World) -> None:
        world.publish(1)
        collector = world.collector()
        collector.check()

        world.control.fault(world.network, "status", status=403, times=-1)
        with pytest.raises(PermanentError):
            collector.check()
        collector.close()
