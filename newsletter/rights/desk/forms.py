"""The forms of the rights desk, read: all that is wrong with one is said at once. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import TypeVar

from newsletter.errors import InvalidInput
from newsletter.rights.desk.actions import Received
from newsletter.rights.desk.tables import Arrival, Outcome, RequestKind

_LONGEST = {"who": 200, "identity": 500, "note": 4000, "address": 254}
_Choice = TypeVar("_Choice", RequestKind, Arrival, Outcome)


def read_received(values: Mapping[str, str], subscriber_id: str | None = None) -> Received:
    """Read the form with which a request is registered. Raises InvalidInput for all that is wrong at once."""
    wrong = too_long(values)
    kind = choice(RequestKind, values, "kind", "Please choose what is asked for.", wrong)
    arrival = choice(Arrival, values, "arrival", "Please choose how the request came.", wrong)
    try:
        received_on = date.fromisoformat(values.get("received_on", ""))
    except ValueError:
        wrong["received_on"] = "Please give the day on which the request came, such as 2026-11-22."
        received_on = date.min
    if wrong or kind is None or arrival is None:
        raise InvalidInput(" ".join(wrong.values()), wrong)
    texts = {field: values.get(field, "") for field in ("who", "address", "note")}
    return Received(kind, arrival, received_on, **texts, subscriber_id=subscriber_id)


def choice(
    choices: type[_Choice], values: Mapping[str, str], field: str, sentence: str, wrong: dict[str, str]
) -> _Choice | None:
    """Give the choice of a field; None where there is none, which `wrong` is then told by the sentence."""
    try:
        return choices(values.get(field, ""))
    except ValueError:
        wrong[field] = sentence
        return None


def too_long(values: Mapping[str, str]) -> dict[str, str]:
    """Give a sentence for each field that holds more than there is room for."""
    return {
        field: f"This may be at most {longest} characters long."
        for field, longest in _LONGEST.items()
        if len(values.get(field, "")) > longest
    }
