from __future__ import annotations

import csv
import threading
from pathlib import Path
from typing import Any

import pytest

from config.errors import InputError, PermanentError
from crm_link.calls.crm_fields import CRM_FIELDS
from crm_link.contacts.contact_columns import find_columns
from crm_link.crm import crm_names, make_crm
from crm_link.crms.csv_file import CsvFileCrm
from crm_link.types import ContactRecord, ContactUpdate


def read(
    path: Path, mapping: dict[str, str] | None = None
) -> tuple[list[ContactRecord], list[str]]:
    pages = list(CsvFileCrm(path, mapping=mapping).contacts(None))
    return (
        [record for page in pages for record in page.contacts],
        [reason for page in pages for reason in page.rejected],
    )


def update(external_id: str, **fields: Any) -> ContactUpdate:
    return ContactUpdate(external_id, fields, "k")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "header",
    [
        "Record ID - Contact,First Name,Last Name,Email,Phone Number,Twitter Username,Website URL",
        "Id,FirstName,LastName,Email,MobilePhone,Twitter,Website",
        "Record Id,First Name,Last Name,Email,Mobile,Twitter,Website",
        "contact_id,first_name,last_name,email,phone,x_handle,website",
    ],
)
def test_headers_of_common_exports_are_known(tmp_path: Path, header: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f"{header}\n7,Jane,Doe,jane@example.com,+12022242315,@jane,janedoe.com\n")

    (record,), rejected = read(path)

    assert rejected == []
    assert record == ContactRecord(
        external_id="7",
        name="Jane Doe",
        emails=("jane@example.com",),
        phones=("+12022242315",),
        handles=(("x", "jane"),),
        links=("janedoe.com",),
        family_name="Doe",
    )


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", ";"), ("utf-8", "|")],
)
def test_usual_encodings_and_delimiters_are_read(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "in.csv"
    text = '\nid,name,city\n1,"José, Müller",Köln\n\n'
    quoted = text.replace("José, Müller", "José\x00Müller").replace(",", delimiter)
    path.write_text(quoted.replace("\x00", ", "), encoding)

    records, rejected = read(path)

    assert [(r.name, dict(r.fields)) for r in records] == [("José, Müller", {"city": "Köln"})]
    assert rejected == []


def test_a_mapping_names_columns_that_are_not_known(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(
        "Kundennr,Wer,Wie,Wo,Konto,Quelle,Nein\n"
        "1,Jane Doe,a@example.com,b@example.com,@j,Opt-in,yes\n"
    )

    (record,), _ = read(
        path,
        {
            "id": "Kundennr",
            "name": "wer",
            "email": "Wie|Wo",
            "mastodon_handle": "Konto",
            "relationship_source": "Quelle",
            "do_not_contact": "Nein",
        },
    )

    assert record.emails == ("a@example.com", "b@example.com")
    assert record.handles == (("mastodon", "j"),)
    assert record.relationship_source == "consent"
    assert record.do_not_contact


def test_without_an_id_the_address_is_it(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("name,email\nJane,Jane@Example.com\nBob,\n")

    records, rejected = read(path)

    assert [record.external_id for record in records] == ["jane@example.com"]
    assert rejected == ["line 3: has no e-mail, its id"]


def test_bad_rows_are_rejected_with_their_line_and_the_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(
        "id,name,value,do_not_contact,handle\n"
        "1,Jane,10,no,\n"
        ",Nobody,,,\n"
        "2,Bob,much,,\n"
        "3,Ann,,perhaps,\n"
        "1,Jane again,,,\n"
        "4,Eve,,,,extra\n"
        "5,Tom,,,@tom\n"
        f"{'6' * 201},Max,,,\n"
        "7,Zoë,7,yes,mastodon:zoe\n"
    )

    records, rejected = read(path)

    assert [record.external_id for record in records] == ["1", "7"]
    assert rejected == [
        "line 3: has no id",
        "line 4: has a value that is no number",
        "line 5: has neither yes nor no in do_not_contact",
        "line 6: has the id of line 2 again; the first is kept",
        "line 7: has 6 cells, the header has 5",
        "line 8: has a handle, and no column says of which platform it is",
        "line 9: has an id longer than 200 signs",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"id,name\n1,\x81\x8d\n", "neither UTF-8 nor Windows-1252"),
        (b"colour\nred\n", "it has: colour"),
    ],
)
def test_files_that_are_no_contacts_are_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)

    with pytest.raises(InputError, match=message):
        read(path)


def test_a_missing_file_and_a_wrong_mapping_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="'nickname', which is not known"):
        find_columns(["id", "name"], {"nickname": "name"})
    with pytest.raises(InputError, match=r"Nick.*it has: id, name"):
        find_columns(["id", "name"], {"name": "Nick"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.50", 1234.5),
        ("1.234,50 €", 1234.5),
        ("$99", 99.0),
        ("1,234", 1234.0),
        ("1,234,567", 1234567.0),
        ("12,5", 12.5),
        ("-3.25", -3.25),
        ("1 234,5", 1234.5),
    ],
)
def test_amounts_are_read_as_people_write_them(tmp_path: Path, text: str, value: float) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f'id,name,value\n1,Jane,"{text}"\n', "utf-8")

    (record,), _ = read(path)

    assert record.value == value


def test_the_cursor_is_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,name\n1,Jane\n")
    crm = CsvFileCrm(path)
    cursor = list(crm.contacts(None))[-1].cursor

    assert list(crm.contacts(cursor)) == []
    path.write_text("id,name\n1,Janet\n")
    assert len(list(crm.contacts(cursor))) == 1


def test_writing_puts_each_record_in_its_row_once(tmp_path: Path) -> None:
    crm = CsvFileCrm(out=tmp_path / "deep" / "out.csv")
    crm.write([update("1", groundswell_mentions=1), update("2", groundswell_mentions=5)])
    crm.write([update("1", groundswell_mentions=2, groundswell_average_sentiment=-0.25)])
    results = crm.write([update("1", groundswell_mentions=2, groundswell_average_sentiment=-0.25)])

    columns = ["id", *(field.name for field in CRM_FIELDS)]
    assert [result.error for result in results] == [None]
    assert rows_of(tmp_path / "deep" / "out.csv") == [
        dict.fromkeys(columns, "")
        | {"id": "1", "groundswell_mentions": "2", "groundswell_average_sentiment": "-0.25"},
        dict.fromkeys(columns, "") | {"id": "2", "groundswell_mentions": "5"},
    ]
    assert [p.name for p in (tmp_path / "deep").iterdir() if not p.name.endswith(".lock")] == [
        "out.csv"
    ]


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "'=1"])
def test_no_cell_is_a_formula_and_ids_survive(tmp_path: Path, text: str) -> None:
    crm = CsvFileCrm(out=tmp_path / "out.csv")
    crm.write([update(text, groundswell_handles=text)])
    crm.write([update(text, groundswell_mentions=1)])

    (row,) = rows_of(tmp_path / "out.csv")

    assert row["id"] == row["groundswell_handles"] == f"'{text}"
    assert row["groundswell_mentions"] == "1"


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    def work(start: int) -> None:
        crm = CsvFileCrm(out=tmp_path / "out.csv")
        for number in range(start, start + 20):
            crm.write([update(str(number), groundswell_mentions=number)])

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(rows_of(tmp_path / "out.csv")) == 40


def test_a_file_that_is_not_ours_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("something,else\n1,2\n")

    with pytest.raises(InputError, match="not ours"):
        CsvFileCrm(out=path).write([update("1")])

    assert path.read_text() == "something,else\n1,2\n"


def test_a_folder_in_the_way_is_a_permanent_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises((PermanentError, InputError)):
        CsvFileCrm(out=tmp_path / "file" / "out.csv").write([update("1")])


def test_the_plugin_is_found_and_takes_its_files_from_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,name\n1,Jane\n")
    monkeypatch.setenv("GROUNDSWELL_CSV_FILE_PATH", str(path))

    crm = make_crm("csv_file")
    crm.check()
    crm.write([update("1", groundswell_mentions=1)])

    assert "csv_file" in crm_names()
    assert [record.name for page in crm.contacts(None) for record in page.contacts] == ["Jane"]
    assert (tmp_path / "enriched_contacts.csv").exists()
