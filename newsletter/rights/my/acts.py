"""Every right a button: what people do on their own page (RULES B1).

Each form names its visit by a token, so that no other site can send it (RULES H8). When the person is gone, so is the
visit, and the last page says what is left.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, post

from newsletter.addresses import read_address
from newsletter.agreements.actions import Origin
from newsletter.database import Session
from newsletter.errors import InvalidInput, NotFound
from newsletter.installation import Installation
from newsletter.limits.door import door_of
from newsletter.rights.my import address_change, choices, sessions
from newsletter.rights.my.page import my_page, page_language
from newsletter.rights.my.tables import MyVisit
from newsletter.subscribers.actions import by_address
from newsletter.subscribers.tables import MeasurementChoice, Subscriber, Subscription
from newsletter.unsubscribe.actions import unsubscribe
from newsletter.web import Unstorable, WebRequest, installation_of, page, read_form, see_other

ORIGIN = Origin("subject", "my page")
_GONE = "What you want to change is no longer here."


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the page: in whose visit it was sent, about which address, and what it says."""

    installation: Installation
    visit: MyVisit
    canonical: str
    values: Mapping[str, str]

    async def subscriber(self, session: Session) -> Subscriber:
        """Give the subscriber it is about. Raises NotFound where the address only asked so far, or is gone."""
        subscriber = await by_address(session, self.canonical)
        if subscriber is None:
            raise NotFound(_GONE)
        return subscriber


@post("/my/details", include_in_schema=False, status_code=303)
async def correct(request: WebRequest) -> Response[Any]:
    """Correct name, title, employer and language."""

    async def act(session: Session, form: Form) -> None:
        subscriber = await form.subscriber(session)
        details = choices.read_details(form.values)
        await choices.correct(session, form.installation, subscriber.id, details, ORIGIN)

    return await _done(request, act, "details")


@post("/my/address", include_in_schema=False, status_code=303)
async def change_address(request: WebRequest) -> Response[Any]:
    """Ask a new mailbox to confirm that it is to be the address."""
    door = door_of(request)
    networks = door.come_in(request)

    async def act(session: Session, form: Form) -> None:
        subscriber = await form.subscriber(session)
        await door.enter(session, networks)
        await address_change.ask(session, form.installation, subscriber.id, read_address(form.values.get("email")))

    return await _done(request, act, "address")


@post("/my/measurement", include_in_schema=False, status_code=303)
async def measure(request: WebRequest) -> Response[Any]:
    """Take the choice about measurement."""

    async def act(session: Session, form: Form) -> None:
        refused = form.values.get("choice") == MeasurementChoice.REFUSED
        choice = MeasurementChoice.REFUSED if refused else MeasurementChoice.UNKNOWN
        subscriber = await form.subscriber(session)
        await choices.choose_measurement(session, form.installation, subscriber.id, choice)

    return await _done(request, act, "measurement")


@post("/my/restrict", include_in_schema=False, status_code=303)
async def restrict(request: WebRequest) -> Response[Any]:
    """Keep the data and use it for nothing."""
    return await _choose(request, choices.restrict, "restricted")


@post("/my/unrestrict", include_in_schema=False, status_code=303)
async def unrestrict(request: WebRequest) -> Response[Any]:
    """Lift the restriction."""
    return await _choose(request, choices.unrestrict, "unrestricted")


@post("/my/leave", include_in_schema=False, status_code=303)
async def leave(request: WebRequest) -> Response[Any]:
    """Leave one newsletter, or all of them."""

    async def act(session: Session, form: Form) -> None:
        subscriber, wanted = await form.subscriber(session), form.values.get("subscription", "")
        subscription = await session.get(Subscription, wanted)
        if wanted == "all":
            await choices.leave_all(session, form.installation, subscriber.id, ORIGIN)
        elif subscription is not None and subscription.subscriber_id == subscriber.id:
            await unsubscribe(session, form.installation, subscription.id, ORIGIN.channel)
        else:
            raise NotFound(_GONE)

    return await _done(request, act, "left")


@post("/my/object", include_in_schema=False, status_code=303)
async def object_to_marketing(request: WebRequest) -> Response[Any]:
    """Object to marketing, which ends everything."""
    return await _choose(request, choices.object_to_marketing, "left")


@post("/my/erase", include_in_schema=False, status_code=303)
async def erase(request: WebRequest) -> Response[Any]:
    """Delete everything."""

    async def act(session: Session, form: Form) -> None:
        await choices.erase(session, form.installation, form.canonical, ORIGIN)
        await sessions.end(session, form.visit)

    return await _done(request, act, "erased")


@post("/my/close", include_in_schema=False, status_code=303)
async def close(request: WebRequest) -> Response[Any]:
    """End the visit."""

    async def act(session: Session, form: Form) -> None:
        await sessions.end(session, form.visit)

    await _act(request, act)
    return sessions.remembering(installation_of(request), see_other("/my"), "")


Act = Callable[[Session, Form], Awaitable[None]]


async def _choose(request: WebRequest, choice: choices.Choice, said: str) -> Response[Any]:
    async def act(session: Session, form: Form) -> None:
        await choice(session, form.installation, (await form.subscriber(session)).id, ORIGIN)

    return await _done(request, act, said)


async def _done(request: WebRequest, act: Act, said: str) -> Response[Any]:
    """Act and go back to the page, which says what was done; to the last page where nothing is left to show."""
    installation = installation_of(request)
    try:
        form = await _act(request, act)
    except Unstorable as error:
        return await my_page(request, error.values, error.fields)
    except InvalidInput as error:
        return await my_page(request, await read_form(request), error.fields)
    async with installation.database.read() as session:
        if await sessions.visit_of(session, installation, request) is not None:
            return see_other(f"/my?done={said}")
    gone = page(request, "rights/my/gone.html", language=page_language(request, form.visit), private=True)
    return sessions.remembering(installation, gone, "")


async def _act(request: WebRequest, act: Act) -> Form:
    installation, values = installation_of(request), await read_form(request)
    async with installation.database.write() as session:
        visit, canonical = await sessions.require(session, installation, request)
        sessions.check_form(installation.keys, visit, values)
        form = Form(installation, visit, canonical, values)
        await act(session, form)
    return form


handlers = [
    correct,
    change_address,
    measure,
    restrict,
    unrestrict,
    leave,
    object_to_marketing,
    erase,
    close,
]
