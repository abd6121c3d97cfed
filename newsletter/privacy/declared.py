"""What is kept about whom, read from the declarations beside the columns, so that it can't drift (RULES B5).

Columns of the same kind, purpose and retention are one line. Each column has a name for people here; a column that is
declared personal and has none fails the tests, and so does a phrase without a translation.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import SQLModel

from newsletter.personal import Category, declarations

# Of whom a kind of data is held: what is no reader's is an editor's.
_EDITORS = (Category.ACCOUNT,)

LABELS = {
    "actor": "who did it",
    "agreement_id": "number of the agreement",
    "dead_signal.subscriber_id": "that the address was found dead",
    "limit_bucket.tag": "keyed tag of a network or a domain, from which neither can be read",
    "first_signal.subscriber_id": "that a mailbox was found closed",
    "report.subscription_id": "that mail came back",
    "canonical": "e-mail address, as it is recognised",
    "detail": "what was changed",
    "device": "kind of browser",
    "editor_network.tag": "keyed hash of the network, from which it can't be read",
    "sign_in_limit.tag": "keyed hash of an account or a network, from which neither can be read",
    "email": "e-mail address",
    "employer": "employer",
    "family_name": "family name",
    "given_name": "given name",
    "identity": "how we made sure who was asking",
    "language": "language",
    "measurement": "choice about measurement",
    "name": "name",
    "note": "note on a request",
    "restricted_at": "since when the use of the data is restricted",
    "sale_reference": "reference of the sale",
    "source_page": "page on which the agreement was asked for",
    "subscriber_id": "whom it is about",
    "subscription_id": "the subscription and its agreement",
    "subject_tag": "keyed tag of who they were, from which nothing can be read",
    "tag": "keyed tag, from which the address can't be read",
    "title": "job title",
    "who": "name of whoever asks",
}


@dataclass(frozen=True, slots=True)
class Held:
    """A line of what is kept: the kind, its columns as `table.column` and their names, what for, and until when."""

    category: str
    purpose: str
    retention: str
    columns: Sequence[str]
    labels: Sequence[str]


def about_readers() -> Sequence[Held]:
    """Give what is kept about subscribers and those who asked to be one."""
    return [line for line in _lines() if line.category not in _EDITORS]


def about_editors() -> Sequence[Held]:
    """Give what is kept about those who work with the console."""
    return [line for line in _lines() if line.category in _EDITORS]


def _lines() -> Sequence[Held]:
    grouped: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    order = list(Category)
    for column, said in declarations(SQLModel.metadata):
        grouped[said.category, said.purpose, said.retention].append(f"{column.table.name}.{column.name}")
    found = [
        Held(category, purpose, retention, columns, sorted({label(column) for column in columns}))
        for (category, purpose, retention), columns in grouped.items()
    ]
    return sorted(found, key=lambda line: (order.index(Category(line.category)), line.purpose, line.retention))


def label(column: str) -> str:
    """Give what people call a column, such as `subscriber.email`; its own name where nobody has named it."""
    name = column.rpartition(".")[2]
    return LABELS.get(column) or LABELS.get(name, name)
