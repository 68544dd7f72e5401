from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConflictError, InputError, NotFoundError
from listener.brands_edit import change_query
from tests.make import NOW

_FILE = """\
# Whom we watch.
version: 1
brands:
  - id: acme  # never change it
    name: Acme
    query: 'acme OR "acme bank"'
    names: [Acme, "@acmehelp"]
    competitors:
      - {id: rival, name: Rival, query: rival}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "brands.yaml"
    path.write_text(_FILE, "utf-8")
    return path


def test_a_query_is_changed_and_the_rest_of_the_file_stays(path: Path) -> None:
    file = change_query(path, "acme", "acme -'s", before='acme OR "acme bank"', now=NOW)

    assert file.brands[0].query == "acme -'s"
    assert path.read_text("utf-8") == _FILE.replace("'acme OR \"acme bank\"'", "'acme -''s'")
    [kept] = (path.parent / "brands-history").iterdir()
    assert kept.read_text("utf-8") == _FILE


def test_a_competitors_query_is_changed(path: Path) -> None:
    file = change_query(path, "acme:rival", "rival\nOR other", before="rival", now=NOW)

    assert file.brands[0].competitors[0].query == "rival\nOR other"


@pytest.mark.parametrize("query", ["acme OR (", "-acme", ""])
def test_a_query_that_must_not_be_used_is_not_written(path: Path, query: str) -> None:
    with pytest.raises(InputError, match="query"):
        change_query(path, "acme", query, before='acme OR "acme bank"', now=NOW)

    assert path.read_text("utf-8") == _FILE
    assert [one.name for one in path.parent.iterdir() if one.suffix == ".new"] == []


def test_who_was_slower_changes_nothing(path: Path) -> None:
    with pytest.raises(ConflictError, match="changed in brands.yaml meanwhile"):
        change_query(path, "acme", "acme", before="what stood there long ago", now=NOW)

    with pytest.raises(NotFoundError):
        change_query(path, "nobody", "acme", before="", now=NOW)
    assert path.read_text("utf-8") == _FILE
