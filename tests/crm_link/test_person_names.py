from __future__ import annotations

import pytest

from crm_link.linking.given_names import related_names
from crm_link.linking.levels import NameLevel, compare, read_author, read_contact
from crm_link.linking.match_keys import author_name_keys, contact_name_keys, hash_key
from crm_link.linking.person_names import PersonName, contact_name, display_words, words
from crm_link.linking.places import region_book

NOWHERE = region_book(None)


def level(name: str, display: str, handle: str = "", bio: str = "", family: str = "") -> NameLevel:
    author = read_author(
        display=display, handle=handle, bio=bio, location="", links=(), book=NOWHERE
    )
    return compare(author, read_contact(name, family=family, book=NOWHERE)).name


def meet(name: str, display: str, handle: str = "") -> bool:
    return bool(contact_name_keys(contact_name(name)) & set(author_name_keys(display, handle)))


@pytest.mark.parametrize(
    ("contact", "author"),
    [
        ("محمد علي", "Mohammed Ali"),
        ("Mohammed Ali", "محمد علي"),
        ("خالد الأحمد", "Khalid Al-Ahmad"),
        ("خالد الأحمد", "Khaled El Ahmad"),
        ("Khalid Al-Ahmad", "خالد الأحمد"),
        ("王小明", "Xiaoming Wang"),
        ("Wang Xiaoming", "王小明"),
        ("欧阳娜娜", "Nana Ouyang"),
        ("김철수", "Cheolsu Gim"),
        ("Иван Петров", "Ivan Petrov"),
        ("Olga Ivanova", "Иванова Ольга"),
        ("Γιώργος Παπαδόπουλος", "Giorgos Papadopoulos"),
        ("Rahul Sharma", "राहुल शर्मा"),
        ("नरेन्द्र मोदी", "Narendra Modi"),
        ("Gabriel García Márquez", "Gabriel García"),
        ("Gabriel García Márquez", "Gabriel Marquez"),
        ("Nguyễn Văn Đức", "Nguyen Van Duc"),
        ("Łukasz Żółć", "Lukasz Zolc"),
        ("שרה לוי", "Sarah Levi"),
        ("Sukarno", "Bapak Sukarno"),
        ("Suharto", "Suharto"),
        ("Susilo", "Susilo 🇮🇩"),
        ("Joko Widodo", "Pak Joko Widodo"),
        ("李娜", "Li Na"),
        ("陈晓华", "Xiaohua Chen"),
        ("Дмитрий Сергеевич Волков", "Dmitry Volkov"),
        ("Παπαδοπούλου Μαρία", "Maria Papadopoulou"),
        ("Nikos Papas", "Νίκος Παπάς"),
        ("Priya Iyer", "श्रीमती प्रिया अय्यर"),
        ("अनिल कुमार", "Anil Kumar"),
        ("María José Carreño Quiñones", "Maria Jose Carreno"),
        ("Carreño Quiñones, María José", "María Carreño"),
    ],
)
def test_one_person_in_two_scripts_or_orders_is_found_and_agrees(contact: str, author: str) -> None:
    assert meet(contact, author)
    assert level(contact, author) in {
        NameLevel.FULL,
        NameLevel.NICK,
        NameLevel.FUZZY,
        NameLevel.FAMILY,
    }


@pytest.mark.parametrize(
    ("contact", "display", "handle", "found"),
    [
        ("Jane Doe", "Dr. Jane Doe 🌻", "", NameLevel.FULL),
        ("Robert Doe", "Bob Doe", "", NameLevel.NICK),
        ("Robert James Doe", "James Doe", "", NameLevel.NICK),
        ("Catherine Doe", "Katherine Doe", "", NameLevel.FUZZY),
        ("Elizabet Doe", "Elizabeth Doe", "", NameLevel.NICK),
        ("Marlena Tavares", "Marlina Tavares", "", NameLevel.FUZZY),
        ("Jane Robertson", "Jane Robertsson", "", NameLevel.FUZZY),
        ("Jane Doe", "J. Doe", "", NameLevel.INITIAL),
        ("Jane Tavares", "Team Tavares", "", NameLevel.FAMILY),
        ("Jane Tavares", "Robert Tavares", "", NameLevel.CONFLICT),
        ("Jane Tavares", "sunshine", "janetavares", NameLevel.HANDLE_FULL),
        ("Jane Tavares", "Team Tavares", "JaneTavaresNews", NameLevel.HANDLE_FULL),
        ("Robert Tavares", "sunshine", "bobtavares", NameLevel.HANDLE_NICK),
        ("Jane Tavares", "Robert Miller", "tavaresfan", NameLevel.NONE),
        ("Al Adam", "Adam Miller", "", NameLevel.NONE),
        ("Jane Doe", "Bob Smith", "", NameLevel.NONE),
        ("Kevin McCarthy", "Kevin Mc Carthy", "", NameLevel.FULL),
        ("Debbie Wasserman Schultz", "Debbie Wasserman-Schultz", "", NameLevel.FULL),
    ],
)
def test_how_far_a_name_agrees(contact: str, display: str, handle: str, found: NameLevel) -> None:
    family = "Wasserman Schultz" if "Wasserman" in contact else ""
    assert level(contact, display, handle, family=family) is found


def test_a_family_name_with_the_whole_name_in_the_bio_is_more_than_a_family_name() -> None:
    assert level("Jane Tavares", "Tavares Press", bio="The office of @JaneTavares") is (
        NameLevel.NICK
    )


def test_names_come_apart_into_given_and_family_name() -> None:
    assert contact_name("Ludwig van Beethoven") == PersonName(("ludwig",), ("van", "beethoven"))
    assert contact_name("Doe, Jane A.") == PersonName(("jane", "a"), ("doe",))
    assert contact_name("Dr. Jane Doe Jr.") == PersonName(("jane",), ("doe",))
    assert contact_name("Sukarno") == PersonName(("sukarno",), ())
    assert contact_name("王小明") == PersonName(("xiaoming",), ("wang",))
    assert contact_name("") == PersonName((), ())


def test_what_is_no_name_is_left_out_of_a_display_name() -> None:
    assert display_words("RepJaneDoe") == ("jane", "doe")
    assert display_words("Jane Doe (she/her)") == ("jane", "doe")
    assert display_words("Official Team Jane Doe") == ("jane", "doe")
    assert display_words("🎉") == ()
    assert words("O\u2019Brien's") == ("obriens",) or words("O\u2019Brien's") == ("obrien",)


def test_short_forms_are_related_both_ways_and_to_each_other() -> None:
    assert "robert" in related_names("bob")
    assert "bob" in related_names("robert")
    assert "betty" in related_names("liz")
    assert related_names("xyzzy") == frozenset()


def test_keys_are_few_and_fit_eight_bytes() -> None:
    keys = contact_name_keys(contact_name("Gabriel José García Márquez"))

    assert len(keys) <= 24
    assert all(-(2**63) <= hash_key(key) < 2**63 for key in keys)
    assert len({hash_key(key) for key in keys}) == len(keys)
    assert len(author_name_keys("a b c d e f g h i j", "x" * 500)) <= 160
