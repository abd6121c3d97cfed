"""Reading the settings: nothing else in the program reads the environment.

A setting that is wrong stops the program at its start, with a sentence that names it. So does a secret, or a data
folder, that is everybody's to read.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from newsletter.errors import MisconfiguredError
from newsletter.settings.derived import KEY_FILE, Settings
from newsletter.settings.fields import PREFIX
from newsletter.settings.places import check_file, check_folder, check_secret, read_setting


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment.

    Raises MisconfiguredError, in one sentence per setting that is wrong; the value is never shown, it may be a secret.
    """
    environment = os.environ if environment is None else environment
    given = {name: value for name in Settings.model_fields if (value := _value(environment, name)) is not None}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        sentences = [
            f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}."
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise MisconfiguredError(" ".join(sentences)) from None
    check_folder(settings.data_dir)
    if not settings.secret_key and (made := settings.data_dir / KEY_FILE).exists():
        check_secret(made, KEY_FILE)
    check_file(settings.heads_file, f"{PREFIX}HEADS_FILE")
    check_file(settings.tombstone_file, f"{PREFIX}TOMBSTONE_FILE")
    return settings


def _value(environment: Mapping[str, str], name: str) -> str | None:
    variable = PREFIX + name.upper()
    if path := environment.get(f"{variable}_FILE"):
        # What is never shown is a secret.
        return read_setting(Path(path), f"{variable}_FILE", secret=not Settings.model_fields[name].repr)
    return environment.get(variable)
