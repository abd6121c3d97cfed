"""What is chosen of an import or an export by a word: on the command line, by the API, in the console. Pure."""

from enum import StrEnum


class Ground(StrEnum):
    """The short words for the usual grounds on which a company writes to people; `evidence.BASES` says which."""

    CONSENT = "consent"
    CONTRACT = "contract"
    EXISTING_CUSTOMER = "existing_customer"
    LEGITIMATE_INTEREST = "legitimate_interest"


class Format(StrEnum):
    """How people are written down."""

    CSV = "csv"
    JSON = "json"

    @property
    def media_type(self) -> str:
        """Give its media type."""
        return "text/csv; charset=utf-8" if self is Format.CSV else "application/x-ndjson"
