"""Is it alive, is it ready, and how is it going: for whoever watches over the service."""

from typing import Any

from litestar import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func
from sqlmodel import col, select

from newsletter.bounces import ways_in
from newsletter.database import Session, database_seconds
from newsletter.delivery.tables import Block, Mailing, MailingState
from newsletter.errors import NotSignedIn
from newsletter.hearts import SILENT_SECONDS, Heartbeat
from newsletter.installation import Installation
from newsletter.limits import actions as limits
from newsletter.mail.tables import Letter
from newsletter.tokens import equal
from newsletter.web import WebRequest, installation_of, reading

_OUTCOMES = ("delivered", "refused", "deferred", "in_doubt", "withdrawn")


@reading("/health/live")
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "alive"}


@reading("/health/ready")
async def ready(request: WebRequest) -> Response[dict[str, Any]]:
    """Say whether the database answers and a worker lives (503 otherwise), and how long the oldest work has waited.

    A way in that is shut is told and no reason not to be ready: what comes back waits with others meanwhile. Nor are
    limits that hold back many.
    """
    installation = installation_of(request)
    try:
        async with installation.database.read() as session:
            silent = await _worker_silence(session)
            waiting = max(await _oldest_letter(session, installation), await _oldest_block(session))
            open_ways = await ways_in.open_ways(session, installation.clock.now())
            over = await limits.over(session, installation)
    except Exception:  # Whatever is wrong with the database, the answer is the same.
        return Response({"status": "not ready", "database": "unreachable"}, status_code=503)
    well = silent is not None and silent < SILENT_SECONDS
    content = {
        "status": "ready" if well else "not ready",
        "database": "ok",
        "worker": "ok" if well else "no sign of life",
        "queue_seconds": round(waiting, 1),
        "ways_in": "ok" if all(open_ways.values()) else "degraded",
        "limits": _limits(installation, over),
    }
    return Response(content, status_code=200 if well else 503)


def _limits(installation: Installation, over: limits.Over) -> str:
    if installation.settings.rate_limits == "off":
        return "off"
    return "alarm: " + ", ".join(over.alarms) if over.alarms else "ok"


async def _worker_silence(session: Session) -> float | None:
    query = select(database_seconds() - func.max(Heartbeat.seen_at))
    found: float | None = (await session.exec(query)).one()
    return None if found is None else float(found)


async def _oldest_letter(session: Session, installation: Installation) -> float:
    # Not when it is due: while the relay is down, that is put off again and again. Those of a notice mailing may wait.
    oldest = (await session.exec(select(func.min(Letter.created_at)).where(col(Letter.bulk).is_(False)))).one()
    return max(0.0, (installation.clock.now() - oldest).total_seconds()) if oldest else 0.0


async def _oldest_block(session: Session) -> float:
    """Give how long a mailing has had work that is due, without any worker on it: while one works, nothing is stuck."""
    seconds = (await session.exec(select(database_seconds()))).one()
    held = select(Block.mailing_id).where(col(Block.leased_until) >= seconds)
    query = (
        select(Mailing.started_at, func.min(Block.due_at))
        .join(Block, col(Block.mailing_id) == col(Mailing.id))
        .where(Mailing.state == MailingState.SENDING, col(Mailing.id).not_in(held))
        .where(col(Block.finished).is_(False), col(Block.due_at) <= seconds)
        .group_by(col(Mailing.id), col(Mailing.started_at))
    )
    # A block that nobody has begun is due from the mailing's start.
    since = [max(due, started.timestamp() if started else 0.0) for started, due in (await session.exec(query)).all()]
    return max(0.0, seconds - min(since)) if since else 0.0


@reading("/metrics")
async def metrics(request: WebRequest) -> Response[bytes]:
    """Give the metrics in Prometheus' format to whoever has the token; without a token set, to nobody (RULES H8)."""
    installation = installation_of(request)
    token = installation.settings.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not token or not equal(given, token):
        raise NotSignedIn("Send the token of NEWSLETTER_METRICS_TOKEN in the header `Authorization: Bearer …`.")
    registry = CollectorRegistry()
    async with installation.database.read() as session:
        await _gather(session, installation, registry)
    return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})


async def _gather(session: Session, installation: Installation, registry: CollectorRegistry) -> None:
    def gauge(name: str, meaning: str) -> Gauge:
        return Gauge(f"newsletter_{name}", meaning, registry=registry)

    letters = await session.exec(select(func.count()).select_from(Letter))
    gauge("letters_waiting", "Letters in the outbox.").set(letters.one())
    gauge("letters_oldest_seconds", "How long the oldest letter has waited.").set(
        await _oldest_letter(session, installation)
    )
    gauge("mailings_oldest_seconds", "How long a mailing has had work that no worker took up.").set(
        await _oldest_block(session)
    )
    silence = await _worker_silence(session)
    gauge("worker_silence_seconds", "Since the last sign of life of a worker.").set(-1 if silence is None else silence)
    ways = Gauge("newsletter_way_in_open", "1 where reports can come in by it, else 0.", ["way"], registry=registry)
    for way, is_open in (await ways_in.open_ways(session, installation.clock.now())).items():
        ways.labels(way=way).set(is_open)
    over = await limits.over(session, installation)
    held_back = Gauge(
        "newsletter_limit_held_back", "What limits held back in this hour and the last.", ["limit"], registry=registry
    )
    for kind, number in over.counts.items():
        held_back.labels(limit=kind).set(number)
    gauge("limit_alarm", "1 where somebody should look at what the limits hold back, else 0.").set(bool(over.alarms))
    gauge("confirmations_used", "Share of the budget of confirmations that is used up.").set(over.used)
    deliveries = Gauge("newsletter_deliveries", "Deliveries by outcome.", ["outcome"], registry=registry)
    sums = [func.coalesce(func.sum(col(getattr(Block, name))), 0) for name in _OUTCOMES]
    row = (await session.exec(select(*sums))).one()
    for name, count in zip(_OUTCOMES, row, strict=True):
        deliveries.labels(outcome=name).set(int(count))


handlers = [live, ready, metrics]
