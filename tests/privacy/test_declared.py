"""What is declared personal is in the notice and in the record, in every language (RULES B5)."""

import json

import pytest
from sqlmodel import SQLModel

from newsletter import schema
from newsletter.installation import Installation
from newsletter.language import translator
from newsletter.personal import Category, declarations
from newsletter.privacy import declared
from newsletter.privacy.notice import notice_of
from newsletter.privacy.record import as_json, record_of
from tests.delivery.cast import found

COLUMNS = {f"{column.table.name}.{column.name}" for column, _said in declarations(schema.METADATA)}


def phrases() -> set[str]:
    """Give every phrase with which a declaration speaks to readers."""
    lines = [*declared.about_readers(), *declared.about_editors()]
    said = {word for line in lines for word in (line.category, line.purpose, line.retention, *line.labels)}
    return said | {str(category) for category in Category}


def test_every_personal_column_has_a_name_for_people() -> None:
    assert SQLModel.metadata is schema.METADATA
    assert {name for name in COLUMNS if name.rpartition(".")[2] not in declared.LABELS} == set()


@pytest.mark.parametrize("language", ["nb", "nn"])
def test_every_phrase_is_said_in_norwegian(language: str) -> None:
    say = translator(language)
    assert sorted(phrase for phrase in phrases() if say(phrase) == phrase) == []


async def test_every_personal_column_is_in_the_notice_and_in_the_record(sqlite_installation: Installation) -> None:
    installation = sqlite_installation
    await found(installation)
    async with installation.database.read() as session:
        notice = await notice_of(session, installation, "en")
        record = as_json(await record_of(session, installation))
    shown = {
        label
        for _category, purposes in (*notice.readers, *notice.editors)
        for each in purposes
        for label in each.labels
    }
    assert {declared.label(column) for column in COLUMNS} - shown == set()
    recorded = {column for activity in record["activities"] for line in activity["data"] for column in line["columns"]}
    assert recorded == COLUMNS
    assert json.loads(json.dumps(record))["activities"][0]["name"] == "Newsletter Books"
