"""Which passwords will do: at least twelve characters, not among the common ones, and not the address.

What is common is looked up in the lists of zxcvbn, which lie in the program: nothing is asked of anybody. It knows what
the lists are made into, too, such as `Password1234`. What would be guessed within 100 million tries is refused.
"""

from collections.abc import Sequence

SHORTEST = 12
LONGEST = 256
_TOO_SHORT_OR_LONG = "The password must have 12 to 256 characters."
_IS_THE_ADDRESS = "The password must not be the e-mail address or the name."
_COMMON = (
    "This password is among the first that others would try. A few words that have nothing to do with each other "
    "make a good one."
)
# As far as zxcvbn reads, and the least score that is taken: 3 of 4.
_READ = 72
_LEAST = 3


def is_short(password: str) -> bool:
    """Say whether a password is shorter than is asked for now: one of an earlier time may be."""
    return len(password) < SHORTEST


def fault(password: str, about: Sequence[str] = ()) -> str | None:
    """Give what is wrong with a new password, as a sentence; None where it will do.

    `about` is what is known of whoever is to have it: the address, the name.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        return _TOO_SHORT_OR_LONG
    known = {part for text in about for part in (text.casefold(), *text.casefold().split("@")) if part}
    if password.casefold().strip() in known:
        return _IS_THE_ADDRESS
    # Its lists take 15 MB: whoever only signs in has no use for them.
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]  # no types

    judged = zxcvbn(password[:_READ], user_inputs=sorted(known))
    return None if judged["score"] >= _LEAST else _COMMON
