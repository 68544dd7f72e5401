"""Folding reposts and near-duplicates into one mention with a count.

A repost folds into its original, by the platform's id. Another text folds into an earlier one
where nothing but links, handles, case, punctuation or a few words differ; see `fingerprints`. Short
texts never fold: many people say "worst service ever".

Limits: a key remembers the newest mention that stood alone with it, and texts more than a week
apart stay apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.bulk import upsert
from crm_link.fingerprints import Fingerprint, digest, is_same, normal_text
from crm_link.models import FoldKey
from listener.lookup import find_by_ids
from listener.models import Mention, MentionAlias

#: How far apart two equal texts may be published.
LONGEST_APART = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class FoldItem:
    """A mention that may fold into another one."""

    id: int
    brand_id: int
    platform: str
    external_id: str
    repost_of_id: str | None
    published_at: datetime
    fold_count: int
    fingerprint: Fingerprint


@dataclass(slots=True)
class Folded:
    """What folding decided.

    Args:
        roots: Mention id -> the mention that it folds into, or None.
        unfolded: Mentions whose text changed, so that what folded into them must be looked at
            again.
        taken_over: A repost -> its original that came later and takes its place.

    """

    roots: dict[int, int | None] = field(default_factory=dict)
    unfolded: list[int] = field(default_factory=list)
    taken_over: dict[int, int] = field(default_factory=dict)


def fold(session: Session, items: Sequence[FoldItem]) -> Folded:
    """Decide what folds into what, and store the keys that later mentions are found by.

    The caller holds the brands' locks, so that two equal texts never both stay.
    """
    return _Folder(session, items).run()


@dataclass(frozen=True, slots=True)
class _Candidate:
    root: int
    text: str
    published_at: datetime
    is_repost: bool
    is_root: bool


class _Folder:
    """One batch's folding: a handful of queries, however many mentions."""

    def __init__(self, session: Session, items: Sequence[FoldItem]) -> None:
        self._session = session
        # Originals first, so that a repost of the same batch finds its own.
        self._items = sorted(
            items, key=lambda item: (item.repost_of_id is not None, item.published_at, item.id)
        )
        self._keys = self._stored_keys()
        self._originals = self._stored_originals()
        self._candidates = self._stored_candidates()
        self._new_keys: dict[tuple[int, str], int] = {}
        self._result = Folded()
        #: Made for those candidates only that are compared.
        self._normals: dict[str, str] = {}

    def run(self) -> Folded:
        for item in self._items:
            self._take_over(item)
            root = self._find_root(item)
            self._result.roots[item.id] = root
            self._remember(item, root)
        upsert(
            self._session,
            FoldKey,
            [
                {"brand_id": brand_id, "key": key, "mention_id": mention_id}
                for (brand_id, key), mention_id in self._new_keys.items()
            ],
            key=("brand_id", "key"),
            update_columns=("mention_id",),
        )
        return self._result

    def _find_root(self, item: FoldItem) -> int | None:
        if item.repost_of_id is not None:
            original = self._originals.get((item.brand_id, item.platform, item.repost_of_id))
            if original is None:
                original = self._keys.get((item.brand_id, _repost_key(item)))
                original = original and self._root_of(original)
            if original is not None and original != item.id:
                return original
        exact = item.fingerprint.exact
        if item.fold_count and exact is not None:
            if self._keys.get((item.brand_id, exact)) != item.id:
                self._result.unfolded.append(item.id)
            return None
        for key in item.fingerprint.keys:
            candidate = self._candidates.get(self._keys.get((item.brand_id, key), 0))
            if (
                candidate is not None
                and candidate.root != item.id
                and abs(candidate.published_at - item.published_at) <= LONGEST_APART
                and is_same(item.fingerprint.normal, self._normal(candidate.text))
            ):
                return candidate.root
        return None

    def _normal(self, text: str) -> str:
        normal = self._normals.get(text)
        if normal is None:
            normal = self._normals[text] = normal_text(text)
        return normal

    def _root_of(self, mention_id: int) -> int:
        candidate = self._candidates.get(mention_id)
        return mention_id if candidate is None else candidate.root

    def _take_over(self, item: FoldItem) -> None:
        """Put an original in the place of the repost that came before it."""
        if item.repost_of_id is not None:
            return
        held = self._keys.get((item.brand_id, _key_of(item.platform, item.external_id)))
        repost = self._candidates.get(held or 0)
        if held is not None and held != item.id and repost and repost.is_repost and repost.is_root:
            self._result.taken_over[held] = item.id
            for key, mention_id in list(self._keys.items()):
                if mention_id == held:
                    self._keys[key] = item.id
                    self._new_keys[key] = item.id

    def _remember(self, item: FoldItem, root: int | None) -> None:
        target = item.id if root is None else root
        if root is None:
            self._candidates[item.id] = _Candidate(
                item.id,
                item.fingerprint.normal,  # normal already; making it so again changes nothing
                item.published_at,
                is_repost=item.repost_of_id is not None,
                is_root=True,
            )
            self._originals.setdefault((item.brand_id, item.platform, item.external_id), item.id)
        keys = item.fingerprint.keys if root is None else item.fingerprint.keys[:1]
        for key in keys:
            self._store(item.brand_id, key, target, replace=root is None)
        if item.repost_of_id is not None:
            original = (item.brand_id, item.platform, item.repost_of_id)
            if original not in self._originals:
                self._store(item.brand_id, _repost_key(item), target, replace=False)

    def _store(self, brand_id: int, key: str, mention_id: int, *, replace: bool) -> None:
        held = self._keys.get((brand_id, key))
        if held == mention_id or (held is not None and not replace):
            return
        self._keys[brand_id, key] = mention_id
        self._new_keys[brand_id, key] = mention_id

    def _stored_keys(self) -> dict[tuple[int, str], int]:
        wanted: defaultdict[int, set[str]] = defaultdict(set)
        for item in self._items:
            wanted[item.brand_id].update(item.fingerprint.keys, _id_keys(item))
        return {
            (brand_id, row["key"]): row["mention_id"]
            for brand_id, keys in wanted.items()
            for row in find_by_ids(
                self._session,
                select(FoldKey.key, FoldKey.mention_id).where(FoldKey.brand_id == brand_id),
                FoldKey.key,
                keys,
            )
        }

    def _stored_originals(self) -> dict[tuple[int, str, str], int]:
        """Find reposts' originals by their ids, and edited ones by those that they had before."""
        wanted: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        for item in self._items:
            if item.repost_of_id is not None:
                wanted[item.brand_id, item.platform].add(item.repost_of_id)
        found: dict[tuple[int, str, str], int] = {}
        root = func.coalesce(Mention.folded_into_id, Mention.id).label("root")
        for (brand_id, platform), ids in wanted.items():
            aliases = (
                select(MentionAlias.external_id, root)
                .join_from(MentionAlias, Mention, Mention.id == MentionAlias.mention_id)
                .where(MentionAlias.brand_id == brand_id, MentionAlias.platform == platform)
            )
            own = select(Mention.external_id, root).where(
                Mention.brand_id == brand_id, Mention.platform == platform
            )
            for query, column in ((aliases, MentionAlias.external_id), (own, Mention.external_id)):
                for row in find_by_ids(self._session, query, column, ids):
                    found[brand_id, platform, row["external_id"]] = row["root"]
        return found

    def _stored_candidates(self) -> dict[int, _Candidate]:
        ids = set(self._keys.values())
        if not ids:
            return {}
        found = self._session.execute(
            select(
                Mention.id,
                Mention.folded_into_id,
                Mention.text,
                Mention.published_at,
                Mention.repost_of_id,
            ).where(Mention.id.in_(ids))
        )
        return {
            mention_id: _Candidate(
                root or mention_id,
                text,
                published_at,
                is_repost=repost_of_id is not None,
                is_root=root is None,
            )
            for mention_id, root, text, published_at, repost_of_id in found
        }


def _id_keys(item: FoldItem) -> Iterable[str]:
    yield _key_of(item.platform, item.external_id)
    if item.repost_of_id is not None:
        yield _repost_key(item)


def _repost_key(item: FoldItem) -> str:
    return _key_of(item.platform, item.repost_of_id or "")


def _key_of(platform: str, external_id: str) -> str:
    return "r:" + digest(f"{platform}\n{external_id}")
