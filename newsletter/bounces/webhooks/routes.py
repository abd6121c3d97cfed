"""Webhooks: what sending services tell of our mails, one more way in to the same reports (RULES F8).

A service is heard where its setting is there, and believed once its message has proved itself; and then it acts on our
own signed id alone, never on an address that it names. A message is answered once all that it tells is on the disk;
whatever comes twice is there already. There is no session, no cookie and no form token.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from litestar import Response, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from sqlalchemy.exc import SQLAlchemyError

from newsletter.bounces.reports import actions as reports
from newsletter.bounces.webhooks import doubted, tokens
from newsletter.bounces.webhooks.events import Event, Heard, Message, NotProven, Service, UnreadableMessage
from newsletter.bounces.webhooks.fetching import Certificates, Opener, Unreachable, fetch
from newsletter.bounces.webhooks.mailgun import Mailgun
from newsletter.bounces.webhooks.postmark import Postmark, WrongPassword
from newsletter.bounces.webhooks.sendgrid import SendGrid
from newsletter.bounces.webhooks.ses import Ses
from newsletter.bounces.webhooks.sns import Topics
from newsletter.clock import Clock
from newsletter.database import Session
from newsletter.errors import MisconfiguredError, NewsletterError, NotFound
from newsletter.installation import Installation
from newsletter.logs import get_logger
from newsletter.settings import Settings
from newsletter.web import WebRequest, installation_of, problem

_log = get_logger(__name__)
_LARGEST = SendGrid.largest
# Whoever else writes waits for so many.
_MOST_AT_ONCE = 100
_TOO_LARGE = 413
_TOO_LARGE_SENTENCE = "That is larger than any message of this service."


def services_of(settings: Settings, clock: Clock, opener: Opener = fetch) -> dict[str, Service]:
    """Give the services that are set up, by the name in their webhook's address. Raises MisconfiguredError."""
    makers: dict[str, Callable[[str], Service]] = {
        "ses": lambda topics: Ses(Topics(topics, Certificates(opener, clock), opener)),
        "postmark": Postmark,
        "sendgrid": SendGrid,
        "mailgun": Mailgun,
    }
    given = {name: str(getattr(settings, f"webhook_{name}")) for name in makers}
    if any(given.values()) and not settings.bounce_domain:
        raise MisconfiguredError(
            "A webhook is set up, but NEWSLETTER_BOUNCE_DOMAIN is not: without it no mail carries an id that the "
            "service could tell us."
        )
    return {name: makers[name](value) for name, value in given.items() if value}


@post("/webhooks/{name:str}", status_code=200, include_in_schema=False, request_max_body_size=_LARGEST)
async def hear(request: WebRequest, name: FromPath[str]) -> Response[dict[str, Any]]:
    """Take what a service tells; 200 once it is stored, an error in one sentence where it is not."""
    installation = installation_of(request)
    services: dict[str, Service] = request.app.state.webhooks
    service = services.get(name)
    if service is None:
        return problem(NotFound("No such webhook is set up here."))
    try:
        heard = await service.hear(Message(await _body(request, service), _headers(request), installation.clock.now()))
        await _take(installation, heard, name)
    except tokens.UsedBefore as error:
        return problem(error)
    except (NotProven, UnreadableMessage) as error:
        await doubted.count(installation, name)
        asks = {"www-authenticate": 'Basic realm="webhook"'} if isinstance(error, WrongPassword) else {}
        return problem(error, asks)
    except NewsletterError as error:
        return problem(error)
    except (SQLAlchemyError, OSError) as error:
        _log.warning("webhook_not_stored", service=name, kind=type(error).__name__)
        return problem(Unreachable("This could not be stored just now; please send it again."))
    return Response({})


class TooLarge(NewsletterError):
    """The message is larger than any that the service sends."""

    status = _TOO_LARGE
    title = "Too large"


async def _body(request: WebRequest, service: Service) -> bytes:
    try:
        body = await request.body()
    except HTTPException as error:
        if error.status_code != _TOO_LARGE:
            raise
        raise TooLarge(_TOO_LARGE_SENTENCE) from None
    if len(body) > service.largest:
        raise TooLarge(_TOO_LARGE_SENTENCE)
    return body


def _headers(request: WebRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


async def _take(installation: Installation, heard: Heard, way: str) -> None:
    """Store what a message tells, a large batch in parts: where one fails, all of it comes again. Raises NotProven."""
    if not heard.events and not heard.once:
        return
    for first in range(0, max(len(heard.events), 1), _MOST_AT_ONCE):
        part = Heard(heard.events[first : first + _MOST_AT_ONCE], "" if first else heard.once)
        await installation.database.write_at_once(partial(_store, installation, part, way))


async def _store(installation: Installation, heard: Heard, way: str, session: Session) -> None:
    if heard.once:
        await tokens.use(session, installation, heard.once)
    for event in heard.events:
        named = _ours(installation, event)
        await reports.take_event(session, installation, named, event.reading, way, event.recipient)


def _ours(installation: Installation, event: Event) -> str:
    """Give the id among what an event names that is ours, or else what it would have been."""
    given = [value for value in event.named if value]
    return next((value for value in given if reports.recognises(installation, value)), given[0] if given else "")


handlers = [hear]
