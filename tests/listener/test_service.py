from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Select, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from config.db import is_sqlite, read_session
from config.errors import (
    BudgetExhaustedError,
    ConflictError,
    NotFoundError,
    PermanentError,
    TransientError,
)
from listener.collection_models import Collection, QuarantinedItem, RawPost, SourceCursor
from listener.models import Brand, Gap, Mention, MentionVersion, Source, SourceState, Step
from listener.service import collect, pending_counts, pending_ids
from listener.store import store_posts
from listener.types import (
    DeletedPost,
    DeletionReason,
    GapKind,
    GapReport,
    Page,
    RejectedItem,
)
from tests.listener.fake_collector import FakeCollector
from tests.make import NOW, make_brand, make_post


def _clock() -> datetime:
    return NOW


@pytest.fixture
def source_id(sessions: sessionmaker[Session]) -> int:
    with sessions.begin() as session:
        source = Source(
            brand_id=make_brand(session).id,
            name="search",
            platform="x",
            options={},
            every_s=60,
            created_at=NOW,
        )
        session.add(source)
        session.flush()
        return source.id


def _source(sessions: sessionmaker[Session], source_id: int) -> Source:
    source: Source = _all(sessions, select(Source).where(Source.id == source_id))[0]
    return source


def _cursors(sessions: sessionmaker[Session]) -> list[str]:
    return _all(sessions, select(SourceCursor.cursor).order_by(SourceCursor.cursor))


def _all(sessions: sessionmaker[Session], query: Select[Any]) -> list[Any]:
    with read_session(sessions) as session:
        found = list(session.scalars(query))
        # Else the rollback at the end would make them forget what they hold.
        session.expunge_all()
    return found


def _count(sessions: sessionmaker[Session], model: type[Any]) -> int:
    return len(_all(sessions, select(model)))


def test_collect_stores_every_page_with_its_cursor(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    pages = [Page(posts=(make_post(), make_post()), cursor=str(number)) for number in range(3)]
    progress: list[int] = []

    result = collect(
        sessions,
        source_id,
        collector=FakeCollector(*pages),
        clock=_clock,
        on_page=lambda so_far: progress.append(so_far.new),
    )

    assert (result.pages, result.seen, result.new) == (3, 6, 6)
    assert progress == [2, 4, 6]
    assert _cursors(sessions) == ["2"]
    source = _source(sessions, source_id)
    assert (source.state, source.last_success_at, source.failures) == (SourceState.OK, NOW, 0)
    assert source.next_due_at == NOW + timedelta(seconds=60)
    assert source.newest_post_at == pages[-1].posts[-1].published_at
    run = _all(sessions, select(Collection))[0]
    assert (run.pages, run.new, run.ended_at, run.error) == (3, 6, NOW, None)


def test_collect_keeps_the_cursor_when_the_platform_fails_half_way(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    collector = FakeCollector(
        Page(posts=(make_post(),), cursor="10"), error=TransientError("503 from X")
    )

    with pytest.raises(TransientError, match="503"):
        collect(sessions, source_id, collector=collector, clock=_clock)

    assert _cursors(sessions) == ["10"]
    assert _count(sessions, Mention) == 1
    source = _source(sessions, source_id)
    assert (source.state, source.failures) == (SourceState.RETRYING, 1)
    assert source.last_error == "503 from X"
    assert _all(sessions, select(Collection.error))[0] == "503 from X"
    again = FakeCollector()
    collect(sessions, source_id, collector=again, clock=_clock)
    assert again.walks[0].cursor == "10"
    assert _source(sessions, source_id).last_error is None


def test_a_page_that_cannot_be_stored_leaves_the_cursor_of_the_last_one(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    broken = Page(posts=(make_post(),), cursor=None, gaps=(None,))  # type: ignore[arg-type]
    collector = FakeCollector(Page(posts=(make_post(),), cursor="1"), broken)

    with pytest.raises(AttributeError):
        collect(sessions, source_id, collector=collector, clock=_clock)

    assert _cursors(sessions) == ["1"]
    assert _count(sessions, Mention) == 1
    source = _source(sessions, source_id)
    assert source.state is SourceState.RETRYING
    assert source.last_error is not None
    assert "AttributeError" in source.last_error


def test_no_transaction_is_open_while_the_platform_is_asked(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    def write_from_elsewhere() -> None:
        with sessions.begin() as other:
            if is_sqlite(other):
                other.execute(text("PRAGMA busy_timeout=50"))
            else:
                other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            other.execute(text("UPDATE source SET every_s = 61"))

    pages = [Page(posts=(make_post(),), cursor=str(number)) for number in range(3)]
    try:
        result = collect(
            sessions,
            source_id,
            collector=FakeCollector(*pages, between=write_from_elsewhere),
            clock=_clock,
        )
    except OperationalError:  # pragma: no cover - what this test is against
        pytest.fail("a transaction was open")

    assert result.pages == 3


@pytest.mark.parametrize(
    ("error", "state", "wait_s"),
    [
        (TransientError("down"), SourceState.RETRYING, (2.5, 5)),
        (TransientError("slow down", retry_after_s=77), SourceState.RETRYING, (77, 77)),
        (PermanentError("401"), SourceState.FAILING, (900, 900)),
        (BudgetExhaustedError("cap", resume_after_s=86_400), SourceState.PAUSED, (86_400, 86_400)),
        (
            BudgetExhaustedError("cap", resume_after_s=1e12),
            SourceState.PAUSED,
            (31 * 86_400, 31 * 86_400),
        ),
    ],
)
def test_each_kind_of_failure_says_when_to_try_again(
    sessions: sessionmaker[Session],
    source_id: int,
    *,
    error: Exception,
    state: SourceState,
    wait_s: tuple[float, float],
) -> None:
    with pytest.raises(type(error)):
        collect(sessions, source_id, collector=FakeCollector(error=error), clock=_clock)

    source = _source(sessions, source_id)
    assert source.state is state
    assert source.next_due_at is not None
    waits_s = (source.next_due_at - NOW).total_seconds()
    assert wait_s[0] <= waits_s <= wait_s[1]


def test_waits_grow_with_each_failure_up_to_a_cap(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    waits = []
    for _ in range(12):
        with pytest.raises(TransientError):
            collect(
                sessions,
                source_id,
                collector=FakeCollector(error=TransientError("down")),
                clock=_clock,
            )
        due = _source(sessions, source_id).next_due_at
        assert due is not None
        waits.append((due - NOW).total_seconds())

    assert waits[0] <= 5
    assert waits[4] > 30
    assert 450 <= waits[-1] <= 900


def test_posts_that_the_query_does_not_find_are_left_out(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    page = Page(posts=(make_post(text="Acme!"), make_post(text="nothing here")), cursor="1")

    searched = collect(sessions, source_id, collector=FakeCollector(page), clock=_clock)
    inbox = collect(
        sessions, source_id, collector=FakeCollector(page, matches_query=False), clock=_clock
    )

    assert (searched.seen, searched.new) == (2, 1)
    assert inbox.new == 1


def test_a_first_run_looks_back_one_day_and_later_ones_to_their_cursor(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    collector = FakeCollector(Page(posts=(), cursor="1"))
    later = NOW + timedelta(days=3)

    collect(sessions, source_id, collector=collector, clock=_clock)
    collect(sessions, source_id, collector=collector, clock=lambda: later)

    first, second = collector.walks
    assert (first.cursor, first.since) == (None, NOW - timedelta(days=1))
    assert (second.cursor, second.since) == ("1", NOW - timedelta(days=1))


def test_an_edited_query_or_another_account_starts_a_bounded_backfill(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    collect(sessions, source_id, collector=FakeCollector(Page(posts=(), cursor="1")), clock=_clock)
    other_account = FakeCollector(identity="other")
    collect(sessions, source_id, collector=other_account, clock=_clock)
    with sessions.begin() as session:
        session.scalars(select(Brand)).one().query = "acme OR apex"
    edited = FakeCollector()
    collect(sessions, source_id, collector=edited, clock=_clock)
    with sessions.begin() as session:
        session.scalars(select(Brand)).one().query = "  ACME "
    same = FakeCollector()
    collect(sessions, source_id, collector=same, clock=_clock)

    assert other_account.walks[0].cursor is None
    assert edited.walks[0].cursor is None
    assert edited.walks[0].since == NOW - timedelta(days=1)
    assert same.walks[0].cursor == "1"


def test_a_backfill_keeps_its_own_cursor_and_closes_the_gaps_it_read(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    lost = GapReport(
        GapKind.TRUNCATED, NOW - timedelta(hours=5), NOW - timedelta(hours=4), "page cap"
    )
    older = GapReport(GapKind.HORIZON, None, NOW - timedelta(days=9), "no older posts")
    main = FakeCollector(Page(posts=(), cursor="main", gaps=(lost, older)))
    collect(sessions, source_id, collector=main, clock=_clock)
    collect(sessions, source_id, collector=main, clock=_clock)
    assert _count(sessions, Gap) == 2
    since = NOW - timedelta(hours=6)

    with pytest.raises(TransientError):
        collect(
            sessions,
            source_id,
            collector=FakeCollector(Page(posts=(), cursor="b1"), error=TransientError("x")),
            since=since,
            clock=_clock,
        )
    resumed = FakeCollector(Page(posts=(make_post(),), cursor="b2"))
    collect(sessions, source_id, collector=resumed, since=since, clock=_clock)

    assert (resumed.walks[0].cursor, resumed.walks[0].since) == ("b1", since)
    assert _cursors(sessions) == ["main"]
    gaps = {gap.kind: gap.filled_at for gap in _all(sessions, select(Gap))}
    assert gaps == {GapKind.TRUNCATED: NOW, GapKind.HORIZON: None}


def test_what_a_page_could_not_read_is_kept_and_the_cursor_moves_on(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    page = Page(
        posts=(make_post(), make_post()),
        cursor="7",
        rejected=(RejectedItem(error="no date", raw='{"id": 5}', external_id="5"),),
    )

    result = collect(sessions, source_id, collector=FakeCollector(page, page), clock=_clock)

    assert (result.new, result.rejected) == (2, 2)
    item = _all(sessions, select(QuarantinedItem))[0]
    assert (item.payload, item.error, item.source_id) == (b'{"id": 5}', "no date", source_id)
    assert _cursors(sessions) == ["7"]


def test_a_deletion_leaves_a_tombstone_without_the_text(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    first = make_post(external_id="1", text="Acme one", raw={"id": "1"})
    second = make_post(
        external_id="2", text="Acme two", earlier_ids=("1",), published_at=NOW, raw={"id": "2"}
    )
    gone = DeletedPost(external_id="1", reason=DeletionReason.DELETED)

    collect(
        sessions,
        source_id,
        collector=FakeCollector(
            Page(posts=(first, second), cursor="1"), Page(posts=(), cursor="2", deleted=(gone,))
        ),
        clock=_clock,
    )
    collect(
        sessions,
        source_id,
        collector=FakeCollector(Page(posts=(second,), cursor="3")),
        clock=_clock,
    )

    mention = _all(sessions, select(Mention))[0]
    assert (mention.text, mention.deleted_at) == ("", NOW)
    assert _count(sessions, MentionVersion) == 0
    assert _count(sessions, RawPost) == 0


@pytest.mark.parametrize(
    ("label", "before", "after"),
    [
        ("negative", Step.SCORE, Step.LINK),
        ("negative", Step.JUDGE_FIRST, None),
        (None, Step.SCORE, Step.SCORE),
    ],
    ids=["judged", "by the lexicon", "not yet"],
)
def test_a_deleted_mention_is_not_judged_again_by_the_text_that_is_gone(
    sessions: sessionmaker[Session],
    source_id: int,
    label: str | None,
    before: Step,
    after: Step | None,
) -> None:
    gone = DeletedPost(external_id="1", reason=DeletionReason.DELETED)
    post = make_post(external_id="1", text="Acme one")
    collect(sessions, source_id, collector=FakeCollector(Page((post,), "1")), clock=_clock)
    with sessions.begin() as session:
        session.execute(update(Mention).values(label=label, pending=before))

    page = Page(posts=(), cursor="2", deleted=(gone,))
    collect(sessions, source_id, collector=FakeCollector(page), clock=_clock)

    mention = _all(sessions, select(Mention))[0]
    assert (mention.label, mention.pending) == (label, after)


def test_two_collections_of_one_source_do_not_run_at_once(
    sessions: sessionmaker[Session], source_id: int
) -> None:
    refused: list[str] = []

    def start_another() -> None:
        def run() -> None:
            try:
                collect(sessions, source_id, collector=FakeCollector(), clock=_clock)
            except ConflictError as error:
                refused.append(str(error))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    page = Page(posts=(), cursor="1")
    collect(sessions, source_id, collector=FakeCollector(page, between=start_another), clock=_clock)
    collect(sessions, source_id, collector=FakeCollector(page), clock=_clock)

    assert refused == [f"source {source_id} is being collected already"]


def test_an_unknown_source_is_said_to_be_unknown(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(NotFoundError, match="no source 99"):
        collect(sessions, 99, collector=FakeCollector(), clock=_clock)


def test_the_queue_gives_the_newest_first_from_its_index(
    session: Session, sessions: sessionmaker[Session], source_id: int
) -> None:
    with sessions.begin() as own:
        brand_id = own.scalars(select(Brand.id)).one()
        posts = [make_post() for _ in range(5)]
        store_posts(
            own, brand_id=brand_id, platform="x", posts=posts[::-1], source_id=None, now=NOW
        )

    newest = pending_ids(session, Step.SCORE, 2)
    oldest = pending_ids(session, Step.SCORE, 2, newest_first=False)

    names = {row.id: row.external_id for row in session.scalars(select(Mention))}
    assert [names[number] for number in newest] == [posts[4].external_id, posts[3].external_id]
    assert [names[number] for number in oldest] == [posts[0].external_id, posts[1].external_id]
    assert pending_counts(session) == dict.fromkeys(Step, 0) | {Step.SCORE: 5}
    if is_sqlite(session):
        plan = session.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT id FROM mention WHERE pending = ? "
                "ORDER BY id DESC LIMIT 2".replace("?", ":step")
            ),
            {"step": "score"},
        ).all()
        assert "ix_mention_pending" in str(plan)
        assert "TEMP B-TREE" not in str(plan)
