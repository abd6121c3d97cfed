"""The pace in the console: relays, limits, warm-ups, and which domains are slowed down now."""

from dataclasses import asdict
from typing import Any

from babel.dates import format_date
from litestar import Response

from newsletter.delivery import ledger
from newsletter.delivery.pace.limits import EVERY_OTHER, DomainLimit, Limits
from newsletter.delivery.pace.standing import Standing, standing
from newsletter.language import DEFAULT
from newsletter.mail.wire.relays import Routes
from newsletter.settings import Settings
from newsletter.web import WebRequest, installation_of, page, reading


@reading("/pace")
async def pace(request: WebRequest) -> Response[Any]:
    """Show how fast mail leaves, and over which relays."""
    installation = installation_of(request)
    settings = installation.settings
    async with installation.database.read() as session:
        now = await ledger.now(session)
        stands = await standing(session, installation, now)
    return page(
        request,
        "delivery/pace/pace.html",
        private=True,
        standing=stands,
        plans=_plans(stands),
        routes=_routes(settings),
        limits=_limits(Limits.of(settings)),
        hourly=settings.hourly_limit,
    )


def _plans(standing: Standing) -> dict[str, list[dict[str, Any]]]:
    return {
        domain: [asdict(day) | {"label": format_date(day.day, "d. MMM", locale=DEFAULT)} for day in days]
        for domain, days in standing.plans.items()
    }


def _routes(settings: Settings) -> list[dict[str, Any]]:
    """Give each relay on its way: whose mail it takes, and everything that is set about it but user and password."""
    routes = Routes.of(settings)
    return [
        {
            "domain": domain,
            "name": relay.name,
            "security": relay.security,
            "stand_in": number > 0,
            "connections": relay.connections or settings.smtp_connections,
            "messages": relay.messages,
            "rate": relay.rate,
        }
        for domain, relays in (*routes.domains.items(), ("", routes.default))
        for number, relay in enumerate(relays)
    ]


def _limits(limits: Limits) -> list[dict[str, Any]]:
    shared: dict[DomainLimit, list[str]] = {}
    for domain, limit in limits.domains.items():
        shared.setdefault(limit, []).append(domain)
    if limits.others is not None:
        shared.setdefault(limits.others, []).append(EVERY_OTHER)
    return [{"domains": names, "rate": limit.rate, "connections": limit.connections} for limit, names in shared.items()]


handlers = [pace]
