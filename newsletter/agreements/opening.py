"""Opening a newsletter, with the notices that make it ready for signups, and changing it, with what they say of it."""

from collections.abc import Mapping, Sequence

from newsletter.agreements.notices import actions as notices
from newsletter.agreements.notices.actions import Wording
from newsletter.agreements.notices.wording import Controller, first_notice
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.language import LANGUAGES
from newsletter.newsletters import actions
from newsletter.newsletters.controller import responsible_for
from newsletter.newsletters.tables import Measurement, Newsletter


async def open_newsletter(
    session: Session, installation: Installation, slug: str, settings: Mapping[str, str]
) -> Newsletter:
    """Make a newsletter with its first notices in nb, nn and en. Raises InvalidInput or Conflict."""
    newsletter = await actions.create(session, installation.clock, slug, settings)
    for wording in first_notices(installation, newsletter):
        await notices.put_in_force(session, installation, newsletter.id, wording)
    return newsletter


def first_notices(installation: Installation, newsletter: Newsletter) -> Sequence[Wording]:
    """Give the notices that we would write for the newsletter as it is set now, in nb, nn and en."""
    hours, controller = installation.settings.retention_unconfirmed, _controller(installation, newsletter)
    measured = newsletter.measurement != Measurement.OFF
    return [first_notice(language, newsletter.name, controller, hours, measured=measured) for language in LANGUAGES]


async def change_newsletter(
    session: Session, installation: Installation, newsletter: Newsletter, settings: Mapping[str, str]
) -> None:
    """Change a newsletter's settings, and with them those notices that are still our own: they must stay true.

    A notice that the company wrote itself is left as it is (RULES D6). Raises InvalidInput.
    """
    before = first_notices(installation, newsletter)
    newsletter.sqlmodel_update(actions.read_settings(settings))
    session.add(newsletter)
    in_force = await notices.in_force(session, newsletter.id, installation.clock.now())
    for old, new in zip(before, first_notices(installation, newsletter), strict=True):
        notice = in_force.get(old.language)
        if old != new and notice is not None and notice.hash == old.hash:
            await notices.put_in_force(session, installation, newsletter.id, new)


def _controller(installation: Installation, newsletter: Newsletter) -> Controller:
    company = responsible_for(installation.settings, newsletter)
    return Controller(company.name, company.organisation_number, company.address, company.contact)
