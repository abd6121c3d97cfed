"""Signups on their way into the database: those that come while others are being written go together.

A commit waits for the disk, and SQLite has one writer; so one transaction takes all who wait, and each is answered
when what it asked for is on the disk. Everyone costs the same work, known or not (RULES H3).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import DataError, IntegrityError

from newsletter.agreements.actions import Origin
from newsletter.database import Session
from newsletter.errors import NewsletterError
from newsletter.installation import Installation
from newsletter.limits.door import Door
from newsletter.signup import actions
from newsletter.signup.offers import Offer, Wording, offer
from newsletter.signup.rules import Signup
from newsletter.web import WebRequest
from newsletter.web.networks import Networks

_MOST = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks of the newsletter of that slug.

    `choose` gives the notice they saw and whether our own form showed it, or raises a NewsletterError. A signup without
    a language gets the notice's. `networks` are those it comes from, where they are counted.
    """

    slug: str
    signup: Signup
    origin: Origin
    choose: Callable[[Offer], tuple[Wording, bool]]
    networks: Networks | None = None


_Answer = Signup | NewsletterError
_Wanted = tuple[str, Signup, actions.Asked]
_Waiting = tuple[Wish, "asyncio.Future[Signup]"]


class Asking:
    """The signups of this process, which come in by its door. A link in a letter is good for `hours`."""

    def __init__(self, installation: Installation, hours: int, door: Door | None = None) -> None:
        self._installation = installation
        self._hours = hours
        self._door = door or Door(installation)
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def ask(self, wish: Wish) -> Signup:
        """Write a signup down with its letter; give it as it was written, once it is on the disk.

        Raises NotFound for an unknown newsletter, what `choose` raises, and TooMany.
        """
        answer: asyncio.Future[Signup] = asyncio.get_running_loop().create_future()
        self._waiting.append((wish, answer))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await answer

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            await self._write_group(group)

    async def _write_group(self, group: Sequence[_Waiting]) -> None:
        wishes = [wish for wish, _ in group]
        try:
            answers = await self._installation.database.write_at_once(lambda session: self._write_down(session, wishes))
        except (DataError, IntegrityError) as error:
            if len(group) == 1:
                _tell(group[0], error)
            else:  # One of them can't be written; the others are not to suffer for it.
                for one in group:
                    await self._write_group([one])
        except BaseException as error:
            for one in group:
                _tell(one, error)
            if not isinstance(error, Exception):
                raise
        else:
            for one, answer in zip(group, answers, strict=True):
                _tell(one, answer)

    async def _write_down(self, session: Session, wishes: Sequence[Wish]) -> list[_Answer]:
        offers = {slug: await self._offered(session, slug) for slug in sorted({wish.slug for wish in wishes})}
        heard = [self._wanted(wish, offers[wish.slug]) for wish in wishes]
        comers = [
            None if isinstance(one, NewsletterError) else wish.networks for wish, one in zip(wishes, heard, strict=True)
        ]
        refused = await self._door.admit(session, comers)
        judged = [no or one for one, no in zip(heard, refused, strict=True)]
        if wanted := [one for one in judged if not isinstance(one, NewsletterError)]:
            await actions.ask_all(session, self._installation, wanted)
        return [one if isinstance(one, NewsletterError) else one[1] for one in judged]

    async def _offered(self, session: Session, slug: str) -> Offer | NewsletterError:
        try:
            return await offer(session, slug, self._installation.clock.now())
        except NewsletterError as error:
            return error

    def _wanted(self, wish: Wish, offered: Offer | NewsletterError) -> _Wanted | NewsletterError:
        if isinstance(offered, NewsletterError):
            return offered
        try:
            notice, witnessed = wish.choose(offered)
        except NewsletterError as error:
            return error
        signup = replace(wish.signup, language=wish.signup.language or notice.language)
        return offered.newsletter_id, signup, actions.Asked(notice, witnessed, wish.origin, self._hours)


def _tell(one: _Waiting, answer: Signup | BaseException) -> None:
    told = one[1]
    if told.done():  # Whoever asked is gone.
        return
    if isinstance(answer, Signup):
        told.set_result(answer)
    elif isinstance(answer, Exception):
        told.set_exception(answer)
    else:
        told.cancel()


def asking_of(request: WebRequest) -> Asking:
    """Give what writes this app's signups."""
    asking = request.app.state.asking
    assert isinstance(asking, Asking)
    return asking
