"""Files as spreadsheets and other tools write them, good and broken. A bad row is one sentence, and never the end."""

import io
from datetime import UTC, datetime

import pytest

from newsletter.errors import InvalidInput
from newsletter.imports.reading.columns import choose, guess
from newsletter.imports.reading.records import LONGEST_LINE
from newsletter.imports.reading.rows import Person, Reader, Refused
from newsletter.imports.reading.shape import look_at, read_again
from newsletter.imports.reading.slices import Slice, slices

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def through(content: bytes, preset: str = "", size: int = 1000, **options: bool) -> list[Slice]:
    """Read a file through; and see that reading it by its stored shape is the same."""
    file = io.BytesIO(content)
    shape = look_at(file)
    assert read_again(file, shape.encoding, shape.delimiter) == shape
    reader = Reader(guess(shape.header, preset), len(shape.header), NOW, **options)
    return list(slices(file, shape, reader, size))


def read(content: bytes, preset: str = "", **options: bool) -> tuple[list[Person], dict[int, str]]:
    """Give the people of a file, and the refused rows."""
    pieces = through(content, preset, **options)
    refused = {row: reason for piece in pieces for row, reason in piece.refused}
    return [person for piece in pieces for person in piece.people], refused


@pytest.mark.parametrize(
    "content",
    [
        "E-post;Fornavn\r\nkari@example.com;Åse\r\n".encode(),
        "\ufeffE-post;Fornavn\nkari@example.com;Åse\n".encode(),
        "E-post;Fornavn\nkari@example.com;Åse\n".encode("cp1252"),
        "sep=;\r\nE-post;Fornavn\r\nkari@example.com;Åse".encode(),
        "Email Address\tFirst Name\nkari@example.com\tÅse\n".encode(),
        'name of the cat,FNAME,e-mail\n"a, b",Åse, kari@example.com \n'.encode(),
    ],
)
def test_the_tables_that_programs_write(content: bytes) -> None:
    ((person,), refused) = read(content)
    assert (person.email, person.given_name, refused) == ("kari@example.com", "Åse", {})


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfee\0m\0a\0i\0l\0", b"PK\x03\x04 a spreadsheet", b"\n\n", b"e\0mail\na", b"," * 300 + b"\n"],
)
def test_what_is_no_table_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        look_at(io.BytesIO(content))
    assert refusal.value.fields.keys() == {"file"}


def test_each_row_that_can_t_be_taken_has_its_number_and_reason() -> None:
    rows = [
        ("2", b"kari@example.com,Kari", None),
        ("3", b'"ola@example.com"x,Ola', "quoting"),
        ("4", b"KARI@example.com,Kari", "repeated"),
        ("5", b",Nobody", "no_address"),
        ("6", b"not an address,", "bad_address"),
        ("7", b"a@example.com,see http://example.com/x", "given_name/link"),
        ("8", b"b@example.com," + b"x" * 65, "given_name/long"),
        ("9", b"c@example.com,A\0B", "given_name/unprintable"),
        ("10", b"d@example.com,\xff", "not_text"),
        ("11", b"e@example.com,Nordmann, Kari", "ragged"),
        ("12", b"f@example.com," + b"y" * LONGEST_LINE, "quoting"),
        ("14", b"\ng@example.com", None),
        ("15", "h@example.com,åøæåøæåøæåøæ".encode(), None),
    ]
    people, refused = read(b"email,given_name\n" + b"\n".join(line for _, line, _ in rows) + b"\n")
    assert refused == {int(number): reason for number, _, reason in rows if reason}
    assert [person.row for person in people] == [2, 14, 15]


def test_a_quote_that_is_never_closed_costs_its_own_row_alone() -> None:
    many = b"".join(b"reader%d@example.com,Kari\n" % number for number in range(200))
    people, refused = read(b'email,given_name\nola@example.com,"Ola\n' + many)
    assert (len(people), refused) == (200, {2: "quoting"})


def test_what_was_read_before_is_known_to_whoever_goes_on() -> None:
    content = b"email\n" + b"".join(b"reader%d@example.com\n" % (number % 7) for number in range(20))
    whole = through(content, size=4)
    file = io.BytesIO(content)
    shape, reader = look_at(file), Reader({"email": 0}, 1, NOW)
    for at, piece in enumerate(whole[:-1], start=1):
        assert list(slices(file, shape, reader, 4, piece.end, piece.row)) == whole[at:]


def test_a_mark_before_a_formula_comes_off() -> None:
    people, _ = read(b"email,given_name\n'+47@example.com,'=Kari\n't@example.com,'t Hoft\n")
    assert [(person.email, person.given_name) for person in people] == [
        ("+47@example.com", "=Kari"),
        ("'t@example.com", "'t Hoft"),
    ]


def test_what_the_columns_mean_can_be_said() -> None:
    header = ("Who", "Status", "First name")
    assert choose(header, {"Who": "email", "Status": "-"}, guess(header)) == {"email": 0, "given_name": 2}
    for wrong in ({"Whom": "email"}, {"Who": "shoe_size"}):
        with pytest.raises(InvalidInput):
            choose(header, wrong, guess(header))


MAILCHIMP = b"""Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME,CLEAN_TIME,TAGS
a@example.com,A,B,2,2024-01-01 10:00:00,2024-01-02 10:05:00,,,
b@example.com,A,B,2,2024-01-01 10:00:00,2024-01-01 10:05:00,2024-02-01 10:05:00,,
c@example.com,A,B,2,,,,2024-02-01 10:05:00,
"""
LISTMONK = b"""uuid,email,name,attributes,status,created_at,updated_at
1,a@example.com,A B,"{""city"": ""Oslo""}",enabled,2024-01-01T10:00:00Z,
2,b@example.com,A B,{},disabled,,
3,c@example.com,A B,{},blocklisted,,
"""
MAILPOET = b"""Email,First name,Last name,List status,Global status
a@example.com,A,B,Subscribed,Subscribed
b@example.com,A,B,Unsubscribed,Subscribed
c@example.com,A,B,Subscribed,Bounced
d@example.com,A,B,Unconfirmed,Unconfirmed
"""
PRESETS = [("mailchimp", MAILCHIMP), ("listmonk", LISTMONK), ("mailpoet", MAILPOET)]


@pytest.mark.parametrize(("preset", "content"), PRESETS)
def test_of_another_tool_s_export_those_who_are_subscribed_there_are_taken(preset: str, content: bytes) -> None:
    people, refused = read(content, preset)
    assert [(person.email, person.given_name, person.family_name) for person in people] == [("a@example.com", "A", "B")]
    assert set(refused.values()) == {"not_subscribed"}


@pytest.mark.parametrize(("preset", "content"), PRESETS)
def test_and_those_who_are_not_become_suppressions(preset: str, content: bytes) -> None:
    people, refused = read(content, preset, suppressing=True)
    assert [person.email for person in people] == ["b@example.com", "c@example.com"]
    assert refused[2] == "subscribed"
    assert all(person.given_name is None for person in people)


def test_a_confirmation_is_a_better_date_than_an_opt_in_and_the_future_none() -> None:
    assert [person.agreed_at for person in read(MAILCHIMP, "mailchimp")[0]] == [datetime(2024, 1, 2, 10, 5, tzinfo=UTC)]
    assert read(b"email,agreed_at\na@example.com,2030-01-01\nb@example.com,soon\nc@example.com,17.05.2024\n")[1] == {
        2: "bad_date",
        3: "bad_date",
    }
    with pytest.raises(InvalidInput, match="no export of listmonk"):
        guess(("Email", "Name"), "listmonk")
    assert isinstance(Reader({"email": 0}, 1, NOW).read(2, ["x"]), Refused)
