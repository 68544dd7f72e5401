from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest

from config.errors import InputError
from config.outputs import whole_file


def test_a_file_is_there_when_it_is_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("before")

    with whole_file(out) as file:
        file.write(b"half")
        assert out.read_text() == "before"
        file.write(b" and whole")

    assert out.read_text() == "half and whole"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [out]


def test_what_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("before")

    with pytest.raises(TypeError), whole_file(out) as file:
        file.writelines([b"half", "no bytes"])  # type: ignore[list-item]

    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]


def test_a_dash_is_standard_output(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with whole_file(Path("-")) as file:
        file.write(b"{}\n")

    assert capfdbinary.readouterr().out == b"{}\n"
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_said_and_a_full_disk_stays_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: No such file"):
        whole_file(tmp_path / "nowhere" / "out").__enter__()

    with pytest.raises(OSError, match="full") as full, whole_file(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "full")
    assert full.value.errno == errno.ENOSPC
