"""Reading the settings: nothing else in the program reads the environment.

A setting that is wrong stops the program at its start, with a sentence that names it.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from newsletter.errors import MisconfiguredError
from newsletter.settings.derived import Settings
from newsletter.settings.fields import PREFIX


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment.

    Raises MisconfiguredError, in one sentence per setting that is wrong; the value is never shown, it may be a secret.
    """
    environment = os.environ if environment is None else environment
    given = {name: value for name in Settings.model_fields if (value := _value(environment, name)) is not None}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        sentences = [
            f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}."
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise MisconfiguredError(" ".join(sentences)) from None


def _value(environment: Mapping[str, str], name: str) -> str | None:
    variable = PREFIX + name.upper()
    if path := environment.get(f"{variable}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise MisconfiguredError(f"{variable}_FILE can't be read.") from error
    return environment.get(variable)
