"""What an issue may be, known without what makes one: how long, what it may leave open, and that it can't be sent."""

from collections.abc import Sequence

from newsletter.errors import InvalidInput

LONGEST_SUBJECT = 200
LONGEST_BODY = 200_000
PLACEHOLDERS = ("given_name", "family_name", "title", "employer")


class InvalidIssue(InvalidInput):
    """The issue can't be sent as it is; `problems` are sentences for its editor."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__(" ".join(self.problems))
