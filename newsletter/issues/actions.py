"""Writing issues, finding them, and making them ready to be read."""

import re
from typing import TYPE_CHECKING

from sqlalchemy import delete, func
from sqlmodel import col, select

from newsletter.clock import Clock
from newsletter.database import Session
from newsletter.errors import NotFound
from newsletter.installation import Installation
from newsletter.issues.layout import Footer
from newsletter.issues.tables import Issue, IssueLink
from newsletter.newsletters.tables import Newsletter
from newsletter.tokens import new_id

if TYPE_CHECKING:
    from newsletter.issues.rendering import CompiledIssue

_ID = re.compile(r"[a-z2-7]{26}")


def footer(installation: Installation, newsletter: Newsletter) -> Footer:
    """Give who sends the newsletter, for every issue's foot (RULES G7); its own name and address where no company is
    set.
    """
    settings = installation.settings
    return Footer(
        organisation=settings.controller_name or newsletter.sender_name or newsletter.name,
        organisation_number=settings.controller_organisation_number,
        address=settings.controller_address,
        contact=settings.controller_email or newsletter.sender_address,
        my_url=installation.url("/my"),
        privacy_url=installation.url(f"/newsletters/{newsletter.slug}"),
    )


def compiled(installation: Installation, newsletter: Newsletter, subject: str, body: str) -> "CompiledIssue":
    """Make an issue ready to be filled in. Raises InvalidIssue with everything that stands in the way."""
    # What makes an issue is much to load, and most processes make none.
    from newsletter.issues.rendering import compile_issue

    return compile_issue(
        subject=subject,
        body=body,
        newsletter_name=newsletter.name,
        language=newsletter.language,
        footer=footer(installation, newsletter),
    )


async def write(session: Session, clock: Clock, newsletter_id: str, subject: str, body: str) -> Issue:
    """Make a new issue, numbered after the newsletter's last one."""
    # The newsletter's row is locked, so that two new issues at once get two numbers.
    await session.exec(select(Newsletter.id).where(Newsletter.id == newsletter_id).with_for_update())
    highest = await session.exec(select(func.max(Issue.number)).where(Issue.newsletter_id == newsletter_id))
    now = clock.now()
    issue = Issue(
        id=new_id(),
        newsletter_id=newsletter_id,
        number=(highest.one() or 0) + 1,
        subject=subject,
        body=body,
        created_at=now,
        updated_at=now,
    )
    session.add(issue)
    await session.flush()
    return issue


async def rewrite(session: Session, clock: Clock, issue: Issue, subject: str, body: str) -> None:
    """Change a draft."""
    issue.subject, issue.body, issue.updated_at = subject, body, clock.now()
    session.add(issue)


async def by_id(session: Session, issue_id: str, *, lock: bool = False) -> tuple[Issue, Newsletter]:
    """Give an issue and its newsletter. Raises NotFound."""
    if _ID.fullmatch(issue_id):
        query = (
            select(Issue, Newsletter)
            .join(Newsletter, col(Newsletter.id) == col(Issue.newsletter_id))
            .where(Issue.id == issue_id)
        )
        query = query.with_for_update(of=Issue) if lock else query
        if found := (await session.exec(query)).first():
            return found[0], found[1]
    raise NotFound("There is no issue of that id.")


async def of_newsletter(session: Session, newsletter_id: str) -> list[Issue]:
    """Give the issues of a newsletter, the newest first."""
    query = select(Issue).where(Issue.newsletter_id == newsletter_id).order_by(col(Issue.number).desc())
    return list((await session.exec(query)).all())


async def fix_links(session: Session, issue_id: str, links: tuple[str, ...]) -> None:
    """Write down where the numbered links of an issue lead, once its mailing begins."""
    await session.execute(delete(IssueLink).where(col(IssueLink.issue_id) == issue_id))
    session.add_all(IssueLink(issue_id=issue_id, number=number, url=url) for number, url in enumerate(links))
