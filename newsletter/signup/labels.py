"""What a person may tell of themselves, by the names that a reader knows it by."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from newsletter.language import Gettext

LABELS: Mapping[str, Callable[[Gettext], str]] = {
    "email": lambda say: say("E-mail"),
    "given_name": lambda say: say("Given name"),
    "family_name": lambda say: say("Family name"),
    "title": lambda say: say("Title"),
    "employer": lambda say: say("Employer"),
}


def details(person: Any, say: Gettext) -> Sequence[Mapping[str, str]]:
    """Give what somebody told, each with its label, for a template."""
    return [
        {"label": label(say), "value": value} for field, label in LABELS.items() if (value := getattr(person, field))
    ]
