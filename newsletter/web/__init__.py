"""What every page shares. What the features use of it is named here."""

from newsletter.web.error_answers import PROBLEM, answer_error, problem
from newsletter.web.forms import Unstorable, UnsupportedMediaType, read_form
from newsletter.web.headers import MAIL_FRAME_POLICY, PRIVATE_HEADERS, SECURITY_HEADERS
from newsletter.web.pages import WebRequest, installation_of, page, reading, see_other, visitor_language
from newsletter.web.rendering import render, show_datetime

__all__ = [
    "MAIL_FRAME_POLICY",
    "PRIVATE_HEADERS",
    "PROBLEM",
    "SECURITY_HEADERS",
    "Unstorable",
    "UnsupportedMediaType",
    "WebRequest",
    "answer_error",
    "installation_of",
    "page",
    "problem",
    "read_form",
    "reading",
    "render",
    "see_other",
    "show_datetime",
    "visitor_language",
]
