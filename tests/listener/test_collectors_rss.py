"""Feeds: what only feeds do, well-formed or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.clock import utc_now
from config.errors import InputError, PermanentError, TransientError
from listener.collector import make_collector
from listener.feed_payload import parse_feed, to_text
from listener.types import GapKind
from tests.listener.conformance import Runner, ask, ids_of, read
from tests.listener.worlds import Rss
from tests.networks import Networks

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
URL = "https://news.example/feed"


@pytest.fixture
def feed(networks: Networks) -> Rss:
    return Rss(networks)


def _rss(items: str, head: str = "<title>News</title><language>de-AT</language>") -> bytes:
    return f'<rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def test_an_unchanged_feed_is_not_sent_again(feed: Rss) -> None:
    feed.publish(3)
    [first] = read(feed, ask())

    [second] = read(feed, ask(first.cursor))

    assert second.posts == ()
    assert [request["status"] for request in feed.control.requests("feeds")] == [200, 304]


def test_an_unchanged_feed_without_validators_changes_nothing(sessions: Any, feed: Rss) -> None:
    runner = Runner(sessions, feed)
    feed.control.set_feed("news", validators=False, dates=False, ids=False)
    feed.publish(3)

    runner.collect()
    before = {mention.external_id: mention.published_at for mention in runner.mentions()}
    again = runner.collect()

    assert (again.new, again.changed) == (0, 0)
    assert {mention.external_id: mention.published_at for mention in runner.mentions()} == before
    assert len(before) == 3


def test_items_that_fell_off_the_end_are_a_gap(sessions: Any, feed: Rss) -> None:
    runner = Runner(sessions, feed)
    feed.control.set_feed("news", horizon=20)
    feed.publish(20, ends=utc_now() - timedelta(minutes=10))
    runner.collect()
    new = feed.publish(25)

    runner.collect()
    runner.collect()

    assert feed.ids(new[-20:]) <= runner.ids()
    [gap] = runner.gaps()
    assert gap.kind is GapKind.HORIZON


def test_a_feed_that_keeps_one_known_item_has_no_gap(sessions: Any, feed: Rss) -> None:
    runner = Runner(sessions, feed)
    feed.control.set_feed("news", horizon=20)
    feed.publish(20, ends=utc_now() - timedelta(minutes=10))
    runner.collect()
    feed.publish(19)

    runner.collect()

    assert len(runner.ids()) == 39
    assert runner.gaps() == []


def test_a_document_empty_for_a_moment_is_no_gap(sessions: Any, feed: Rss) -> None:
    runner = Runner(sessions, feed)
    feed.publish(5)
    for broken in ("", "empty", ""):
        feed.control.set_feed("news", broken=broken)
        runner.collect()

    assert len(runner.ids()) == 5
    assert runner.gaps() == []


@pytest.mark.parametrize("broken", ["ill_formed", "control"])
def test_a_broken_feed_gives_what_it_holds(feed: Rss, broken: str) -> None:
    published = feed.ids(feed.publish(6))
    feed.control.set_feed("news", broken=broken)

    [page] = read(feed, ask())

    assert len(page.posts) + len(page.rejected) >= 5
    assert len(ids_of([page]) & published) >= 4


def test_a_web_page_is_no_feed_and_says_what_to_do(feed: Rss) -> None:
    feed.control.set_feed("news", broken="not_xml")

    with pytest.raises(PermanentError, match="look for a link to RSS"):
        read(feed, ask())


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"gone": True}, "410"),
        ({"redirect_to": "/feeds/news"}, "circle"),
        ({"redirect_to": "/feeds/none"}, "404"),
    ],
)
def test_a_feed_that_is_gone_is_a_refusal(
    feed: Rss, settings: dict[str, Any], problem: str
) -> None:
    feed.control.set_feed("news", **settings)

    with pytest.raises(PermanentError, match=problem):
        read(feed, ask())


def test_a_feed_that_moved_is_followed(feed: Rss) -> None:
    feed.control.set_feed("old", redirect_to="/feeds/news")
    feed.publish(2)
    collector = make_collector("rss", {"url": f"{feed.networks.feeds_url}/old"})

    [page] = list(collector.pages(ask()))
    collector.close()

    assert len(page.posts) == 2


def test_a_document_too_large_is_refused(feed: Rss, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_RSS_MAX_BYTES", "1000")
    feed.publish(20)
    collector = make_collector("rss", {"url": feed.url})

    with pytest.raises(PermanentError, match="GROUNDSWELL_RSS_MAX_BYTES"):
        list(collector.pages(ask()))
    collector.close()


def test_no_server_at_all_is_a_failure_that_may_pass() -> None:
    collector = make_collector("rss", {"url": "http://127.0.0.1:1/feed"})

    with pytest.raises(TransientError, match="ConnectError"):
        list(collector.pages(ask()))
    collector.close()


def test_items_without_id_or_date_get_them() -> None:
    items = "<item><title>one</title></item><item><title>two</title><pubDate>soon</pubDate></item>"

    first = parse_feed(_rss(items), url=URL, now=NOW)
    again = parse_feed(_rss(items), url=URL, now=NOW + timedelta(days=1))

    assert [post.external_id for post in first.posts] == [post.external_id for post in again.posts]
    assert len({post.external_id for post in first.posts}) == 2
    assert {post.published_at for post in first.posts} == {NOW}
    assert first.undated == {post.external_id for post in first.posts}


def test_two_items_that_claim_one_id_are_two_posts() -> None:
    items = "".join(f"<item><title>{n}</title><guid>same</guid></item>" for n in ("one", "two"))

    read_feed = parse_feed(_rss(items), url=URL, now=NOW)

    assert len({post.external_id for post in read_feed.posts}) == 2


def test_one_id_in_two_feeds_is_two_posts() -> None:
    item = _rss('<item><title>a</title><guid isPermaLink="false">7</guid></item>')

    [one] = parse_feed(item, url=URL, now=NOW).posts
    [other] = parse_feed(item, url="https://other.example/feed", now=NOW).posts

    assert one.external_id != other.external_id


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Wed, 04 Mar 2026 09:00:00 +0200", datetime(2026, 3, 4, 7, tzinfo=UTC)),
        ("Wed, 04 Mar 2026 09:00:00 EST", datetime(2026, 3, 4, 14, tzinfo=UTC)),
        ("2026-03-04T09:00:00", datetime(2026, 3, 4, 9, tzinfo=UTC)),
        ("Sun, 29 Mar 2026 02:30:00 +0100", NOW),  # in the future: taken for wrong
        ("Thu, 01 Jan 9999 00:00:00 GMT", NOW),
        ("Wed, 45 Mar 2026", NOW),
    ],
)
def test_dates_are_read_or_replaced_by_now(written: str, meant: datetime) -> None:
    item = f"<item><title>a</title><guid>1</guid><pubDate>{written}</pubDate></item>"

    [post] = parse_feed(_rss(item), url=URL, now=NOW).posts

    assert post.published_at == meant
    assert post.published_at.tzinfo is not None


def test_authors_languages_and_links_are_read() -> None:
    item = (
        "<item><title>Fire &amp; smoke</title><link>https://news.example/1</link>"
        "<author>jane@news.example (Jane Doe)</author><guid>https://news.example/1</guid>"
        "<description>&lt;p&gt;See &lt;a href='https://brand.example/x'&gt;this&lt;/a&gt;"
        "&lt;/p&gt;</description></item><item><title>b</title></item>"
    )

    by_jane, by_feed = parse_feed(_rss(item), url=URL, now=NOW).posts

    assert by_jane.text == "Fire & smoke\n\nSee this"
    assert by_jane.links == ("https://news.example/1", "https://brand.example/x")
    assert by_jane.lang == "de"
    assert by_jane.author is not None
    assert by_jane.author.name == "Jane Doe"
    assert by_jane.author.bio is None
    assert by_feed.author is not None
    assert by_feed.author.name == "News"


def test_rdf_is_read() -> None:
    document = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
      xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
      <channel rdf:about="https://news.example/"><title>News</title></channel>
      <item rdf:about="https://news.example/1"><title>one</title>
      <link>https://news.example/1</link><dc:date>2026-03-04T01:00:00-05:00</dc:date>
      <dc:creator>Ada</dc:creator></item></rdf:RDF>"""

    [post] = parse_feed(document, url=URL, now=NOW).posts

    assert post.published_at == datetime(2026, 3, 4, 6, tzinfo=UTC)
    assert post.author is not None
    assert post.author.name == "Ada"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Hello <b>W</b>orld &amp; <br>you</p>", "Hello World &\n\nyou"),
        ("<script>alert(1)</script>safe<style>p{}</style>", "safe"),
        ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
        ("&lt;i&gt;", "<i>"),
        ("", ""),
    ],
)
def test_markup_becomes_what_a_reader_sees(markup: str, text: str) -> None:
    assert to_text(markup) == text


@pytest.mark.parametrize("url", ["", "news.example/feed", "file:///etc/passwd", "ftp://x/y"])
def test_an_address_that_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="url"):
        make_collector("rss", {"url": url})
