"""Signups that come at once are written together; each is answered for itself."""

import asyncio
from dataclasses import dataclass

import pytest
from sqlalchemy.exc import IntegrityError

from newsletter.addresses import read_address
from newsletter.agreements.actions import Origin
from newsletter.errors import NotFound
from newsletter.signup.asking import Asking, Wish
from newsletter.signup.offers import Offer, Wording
from newsletter.signup.rules import FIELDS, Signup
from newsletter.signup.tables import SignupRequest
from tests.signup.site import OF_A_REQUEST, Site

MANY = 30


@dataclass(frozen=True)
class Crowd:
    """People who sign up at the same moment."""

    site: Site
    asking: Asking

    def wish(self, name: str, slug: str = "weekly", *, notice: str = "") -> Wish:
        """Give what somebody wants, under the notice in force or under another."""

        def choose(offer: Offer) -> tuple[Wording, bool]:
            in_force = offer.in_force("nb")
            return in_force._replace(hash=notice or in_force.hash), True

        signup = Signup(read_address(f"{name}@example.com"), "", dict.fromkeys(FIELDS))
        return Wish(slug, signup, Origin("subject", "form"), choose)

    async def all_ask(self, *wishes: Wish) -> list[Signup | BaseException]:
        """Let them all ask at once; give what each is told."""
        return await asyncio.gather(*(self.asking.ask(wish) for wish in wishes), return_exceptions=True)

    async def written(self) -> set[str | None]:
        """Give who is on record, with their agreement and their letter."""
        rows = await self.site.rows()
        assert len({len(rows[table]) for table in OF_A_REQUEST}) == 1
        return {request.email for request in await self.site.all(SignupRequest)}


@pytest.fixture
def crowd(site: Site) -> Crowd:
    installation = site.installation
    return Crowd(site, Asking(installation, 72))


async def test_many_at_once_are_all_written_with_few_commits(crowd: Crowd) -> None:
    names = [f"reader{number}" for number in range(MANY)]
    with crowd.site.statements() as said:
        told = await crowd.all_ask(*(crowd.wish(name) for name in names))
    assert [one.language for one in told if isinstance(one, Signup)] == ["nb"] * MANY
    assert await crowd.written() == {f"{name}@example.com" for name in names}
    assert sum("INSERT INTO signup_request" in statement for statement in said) <= 2


async def test_an_unknown_newsletter_among_them_is_told_alone(crowd: Crowd) -> None:
    told = await crowd.all_ask(crowd.wish("kari"), crowd.wish("eve", "nothing"), crowd.wish("ola"))
    assert [type(one) for one in told] == [Signup, NotFound, Signup]
    assert await crowd.written() == {"kari@example.com", "ola@example.com"}


async def test_one_that_cannot_be_written_takes_nobody_with_it(crowd: Crowd) -> None:
    told = await crowd.all_ask(crowd.wish("kari"), crowd.wish("eve", notice="0" * 64), crowd.wish("ola"))
    assert [type(one) for one in told] == [Signup, IntegrityError, Signup]
    assert await crowd.written() == {"kari@example.com", "ola@example.com"}


async def test_whoever_goes_away_meanwhile_keeps_nobody_waiting(crowd: Crowd) -> None:
    gone = asyncio.create_task(crowd.asking.ask(crowd.wish("gone")))
    await asyncio.sleep(0)
    gone.cancel()
    (told,) = await crowd.all_ask(crowd.wish("kari"))
    assert isinstance(told, Signup)
    assert "kari@example.com" in await crowd.written()
