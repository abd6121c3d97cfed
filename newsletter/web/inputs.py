"""What comes in by the API is taken at its word: what we know no name for is refused, with the nearest name there is.

A misspelt `dry_run` that was passed over would do the real thing.
"""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Any

import msgspec
from litestar._openapi.schema_generation import SchemaCreator
from litestar.exceptions import SerializationException
from litestar.openapi.spec import Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition
from msgspec import inspect

from newsletter.errors import UNREADABLE_JSON, InvalidInput, NewsletterError
from newsletter.web.pages import WebRequest

_NO_TIME = "It must be a time with its offset, such as 2026-12-24T09:00:00+01:00."
# What JSON says is taken for no other kind of thing, as a text in an address is, where "null" would be nothing and 0 a
# day in 1970.
_WRITTEN: tuple[tuple[type[inspect.Type], type | tuple[type, ...], str], ...] = (
    (inspect.DateTimeType, str, _NO_TIME),
    (inspect.IntType, int, "It must be a number."),
    (inspect.FloatType, (int, float), "It must be a number."),
    (inspect.BoolType, bool, "It must be true or false, without quotes."),
)
_JUDGED: tuple[type[inspect.Type], ...] = (inspect.StructType, inspect.ListType, *(plain for plain, _, _ in _WRITTEN))
# So many are told of, and so much of each: whoever sends more has not misspelt them.
_MOST_TOLD = 10
_LONGEST_TOLD = 64
_NUMBER = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", re.IGNORECASE)


class Input(msgspec.Struct, forbid_unknown_fields=True):
    """What a body of the API says: of such are all."""


class Closed(OpenAPISchemaPlugin):
    """Says in the description of the API that an Input has no other fields."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        """Say whether it is one."""
        return not field_definition.is_union and field_definition.is_subclass_of(Input)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        """Describe it as any other, and close it."""
        others = [each for each in schema_creator.plugins if isinstance(each, OpenAPISchemaPlugin) and each is not self]
        ordinary = next(each for each in others if each.is_plugin_supported_field(field_definition))
        schema = ordinary.to_openapi_schema(field_definition, schema_creator)
        schema.additional_properties = False
        return schema


class UnreadableBody(NewsletterError):
    """The body is no JSON, or not written in UTF-8."""

    title = "Bad Request"


async def refuse_unknown(request: WebRequest, queries: Collection[str], body: inspect.Type | None) -> None:
    """Raise InvalidInput where the address or the body names what isn't known, and UnreadableBody where it can't be
    read. Without `body`, nothing may be said in it.
    """
    unknown = told_unknown(request.query_params, queries)
    if body is not None:
        unknown |= islice(_unknown_fields(await _read(request), body, ""), _MOST_TOLD)
    elif request.method == "POST" and (await request.body()).strip() not in (b"", b"{}"):
        unknown["body"] = "Nothing can be said here; please send no body."
    if unknown:
        raise InvalidInput(" ".join(f"{name}: {why}" for name, why in unknown.items()), unknown)


async def values_of(request: WebRequest) -> dict[str, Any] | None:
    """Give what a body says, for a `before`; None where it is no object, which is left to the check of the shape."""
    values = await _read(request)
    return values if isinstance(values, dict) else None


async def _read(request: WebRequest) -> Any:
    if not await request.body():
        return None
    try:
        return await request.json()
    except (SerializationException, UnicodeDecodeError, RecursionError):
        raise UnreadableBody(UNREADABLE_JSON) from None


def told_unknown(given: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Give a sentence for each of the first names that aren't known."""
    return dict(islice(_unknown_names(given, known, ""), _MOST_TOLD))


def _unknown_fields(value: Any, shape: inspect.Type, place: str) -> Iterator[tuple[str, str]]:
    """Give the fields that `shape` knows nothing of, and those of another kind, with where they are. Other faults are
    none of this.
    """
    shape = _bare(shape)
    if isinstance(shape, inspect.UnionType):
        if value is None and any(isinstance(each, inspect.NoneType) for each in shape.types):
            return
        shape = next((each for each in map(_bare, shape.types) if isinstance(each, _JUDGED)), shape)
    for plain, written, why in _WRITTEN:
        if isinstance(shape, plain) and not _is_written_as(value, written):
            yield place, why
    if isinstance(shape, inspect.StructType) and isinstance(value, dict):
        fields = {field.encode_name: field.type for field in shape.fields}
        yield from _unknown_names(value, fields, place)
        for name, kind in fields.items():
            if name in value:
                yield from _unknown_fields(value[name], kind, f"{place}{name}")
    elif isinstance(shape, inspect.ListType) and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unknown_fields(item, shape.item_type, f"{place}[{number}].")


def _bare(shape: inspect.Type) -> inspect.Type:
    """Give a shape without what is told about it."""
    return shape.type if isinstance(shape, inspect.Metadata) else shape


def _is_written_as(value: Any, written: type | tuple[type, ...]) -> bool:
    if written is str:
        return isinstance(value, str) and value.strip().lower() != "null" and not _NUMBER.fullmatch(value.strip())
    return isinstance(value, written) and (written is bool or not isinstance(value, bool))


def _unknown_names(given: Collection[str], known: Collection[str], place: str) -> Iterator[tuple[str, str]]:
    for name in given:
        if name not in known:
            shown = name[:_LONGEST_TOLD]
            nearest = get_close_matches(shown, known, 1, cutoff=0)
            hint = f"; the nearest that is: `{nearest[0]}`" if nearest else ""
            yield f"{place}{shown}", f"Nothing of this name is known here{hint}."
