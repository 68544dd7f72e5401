from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.errors import InputError
from crm_link.escalation.protocols import Protocols
from crm_link.mentions import MentionFilter, list_brands, list_mentions
from crm_link.models import Flag
from crm_link.service import link_mentions
from crm_link.triage import triage_mentions
from listener.brands_file import read_brands
from listener.collection_models import RawPost
from listener.models import Author, Brand, Mention, Step
from listener.sources import due_sources, sync_brands
from listener.store import store_posts
from tests.make import NOW, make_brand, make_post

_FILE = """\
version: 1
brands:
  - id: acme
    name: Acme
    query: acme
    competitors:
      - id: rival
        name: Rival
        query: 'rival OR "rival corp"'
        sources:
          - {platform: x, every: 10m}
      - {id: other, name: Other, query: other}
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "brands.yaml"
    path.write_text(text, "utf-8")
    return path


def test_competitors_are_brands_of_a_kind_of_their_own(session: Session, tmp_path: Path) -> None:
    sync_brands(session, read_brands(_write(tmp_path, _FILE)), NOW)

    assert [brand.key for brand in list_brands(session)] == ["acme"]
    acme, rival, other = session.scalars(select(Brand).order_by(Brand.id))
    assert (rival.key, rival.competitor_of_id, rival.names) == ("acme:rival", acme.id, ["Rival"])
    assert (other.key, other.is_active) == ("acme:other", True)
    assert len(due_sources(session, NOW)) == 1


def test_a_competitor_that_is_taken_out_becomes_inactive(session: Session, tmp_path: Path) -> None:
    sync_brands(session, read_brands(_write(tmp_path, _FILE)), NOW)
    shorter = _FILE.replace("      - {id: other, name: Other, query: other}\n", "")
    sync_brands(session, read_brands(_write(tmp_path, shorter)), NOW)

    active = session.scalars(select(Brand.key).where(Brand.is_active).order_by(Brand.id)).all()
    assert active == ["acme", "acme:rival"]
    assert len(due_sources(session, NOW)) == 1


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (_FILE.replace("id: other", "id: rival"), "line 12: id: there are two competitors 'rival'"),
        (_FILE.replace('"rival corp"', '"rival corp'), "line 9: query: "),
        (_FILE.replace("every: 10m", "evry: 10m"), "line 11: x: unknown key 'evry'"),
        (
            _FILE.replace("query: other", "query: other, protocol: p.yaml"),
            "unknown key 'protocol': remove it, or use one of id, name, query, names, sources",
        ),
    ],
)
def test_a_wrong_competitor_is_refused_with_its_line(
    tmp_path: Path, changed: str, problem: str
) -> None:
    with pytest.raises(InputError) as refused:
        read_brands(_write(tmp_path, changed))

    assert problem in str(refused.value)


def test_what_is_said_about_a_competitor_is_counted_and_nothing_else(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        acme = make_brand(session, key="acme")
        rival = make_brand(session, key="acme:rival", competitor_of_id=acme.id)
        store_posts(
            session,
            brand_id=rival.id,
            platform="x",
            posts=[make_post(text="Rival refuses my refund", raw={"user": "somebody"})],
            source_id=None,
            now=NOW,
        )
        mention = session.scalars(select(Mention)).one()
        mention.label, mention.pending = "negative", Step.LINK
        mention_id, rival_id = mention.id, rival.id

    link_mentions(sessions, [mention_id], clock=lambda: NOW)
    protocols = Protocols(sessions, {}).by_brand()
    triage_mentions(sessions, [mention_id], protocols, clock=lambda: NOW)

    with sessions() as session:
        done = session.get_one(Mention, mention_id)
        counts = {
            kind: session.scalar(select(func.count()).select_from(kind))
            for kind in (Author, RawPost, Flag)
        }
        assert rival_id not in protocols
        assert counts == {Author: 0, RawPost: 0, Flag: 0}
        assert (done.author_id, done.priority, done.pending) == (None, "other", None)
        assert list_mentions(session, MentionFilter()).mentions == ()
        named = list_mentions(session, MentionFilter(brand="acme:rival")).mentions
        assert [one.id for one in named] == [mention_id]
