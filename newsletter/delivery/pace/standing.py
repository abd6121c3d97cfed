"""How the pace stands, for people to look at: which domains are slowed now, and how far each warm-up has come.

What is stored names no domain, for some domains are one person's. So only those that the operator limited and the large
providers are known again by their tags, and all others are counted.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from newsletter.database import Session
from newsletter.delivery.pace import rows
from newsletter.delivery.pace.limits import Limits
from newsletter.delivery.pace.rows import day_of, tag
from newsletter.delivery.pace.slowing import GOOD_SECONDS, Slowness, Trouble
from newsletter.installation import Installation

PROVIDERS = (
    *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com"),
    *("aol.com", "icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com", "fastmail.com", "zoho.com"),
    *("gmx.com", "gmx.net", "gmx.de", "web.de", "t-online.de", "freenet.de", "mail.com", "mail.ru", "yandex.ru"),
    *("orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "libero.it", "seznam.cz", "wp.pl", "onet.pl", "ziggo.nl"),
    *("online.no", "live.no", "hotmail.no", "yahoo.no", "broadpark.no", "getmail.no", "lyse.net", "altibox.no"),
    *(
        "telia.com",
        "bredband.net",
        "comhem.se",
        "hotmail.se",
        "live.se",
        "spray.se",
        "mail.dk",
        "live.dk",
        "hotmail.dk",
    ),
    *(
        "btinternet.com",
        "sky.com",
        "hotmail.co.uk",
        "live.co.uk",
        "yahoo.co.uk",
        "comcast.net",
        "verizon.net",
        "att.net",
    ),
    *("qq.com", "163.com", "126.com", "naver.com", "rediffmail.com", "uol.com.br", "bigpond.com", "bluewin.ch"),
)


@dataclass(frozen=True, slots=True)
class Slowed:
    """A slowed domain: one in `part` of its speed is left, and `rate` is that in mails a second."""

    name: str
    part: int
    rate: float
    trouble: Trouble
    troubled_at: datetime
    over_at: datetime


@dataclass(frozen=True, slots=True)
class PlanDay:
    """One day of a warm-up: how many mails may leave, and how many have."""

    day: date
    quota: int
    used: int
    today: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How the pace stands: the slowed domains that may be named, how many others there are, and the warm-ups' days."""

    slowed: list[Slowed]
    unnamed: int
    plans: dict[str, list[PlanDay]]


async def standing(session: Session, installation: Installation, now: float) -> Standing:
    """Give how the pace stands; `now` is of the database's clock."""
    limits = Limits.of(installation.settings)
    slowed = await rows.slowed(session, now)
    names = {limits.limit(each).name for each in (*limits.domains, *PROVIDERS)} if slowed else set()
    tags = {tag(installation.keys, "domain", name): name for name in names}
    named = [
        _slowed(tags[each], slowness, limits.limit(tags[each]).rate, now)
        for each, slowness in slowed.items()
        if each in tags
    ]
    used = await rows.days(session, limits.warm_ups)
    plans = {
        domain: [
            PlanDay(day, quota, used.get((domain, day), 0), today=day == day_of(now)) for day, quota in warm_up.plan()
        ]
        for domain, warm_up in limits.warm_ups.items()
    }
    return Standing(sorted(named, key=lambda each: (-each.part, each.name)), len(slowed) - len(named), plans)


def _slowed(name: str, slowness: Slowness, configured: float, now: float) -> Slowed:
    return Slowed(
        name=name,
        part=2 ** slowness.level_at(now),
        rate=slowness.rate(configured, now),
        trouble=slowness.trouble or Trouble.BURST,
        troubled_at=datetime.fromtimestamp(slowness.troubled_at, UTC),
        over_at=datetime.fromtimestamp(slowness.troubled_at + slowness.level * GOOD_SECONDS, UTC),
    )
