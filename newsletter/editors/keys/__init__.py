"""API keys. What the routes of the API use of them is named here."""

from newsletter.editors.keys.actions import create, create_with_id
from newsletter.editors.keys.guard import require
from newsletter.editors.keys.rules import Scope

__all__ = ["Scope", "create", "create_with_id", "require"]
