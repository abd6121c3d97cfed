"""Opening a newsletter: it is made together with the notices that make it ready for signups."""

from collections.abc import Mapping

from newsletter.agreements import notices
from newsletter.agreements.wording import Controller, first_notice
from newsletter.database import Session
from newsletter.installation import Installation
from newsletter.language import LANGUAGES
from newsletter.newsletters import actions
from newsletter.newsletters.tables import Newsletter


async def open_newsletter(
    session: Session, installation: Installation, slug: str, settings: Mapping[str, str]
) -> Newsletter:
    """Make a newsletter with its first notices in nb, nn and en. Raises InvalidInput or Conflict."""
    newsletter = await actions.create(session, installation.clock, slug, settings)
    hours = installation.settings.retention_unconfirmed
    for language in LANGUAGES:
        wording = first_notice(language, newsletter.name, _controller(installation, newsletter), hours)
        await notices.put_in_force(session, installation.clock, newsletter.id, wording)
    return newsletter


def _controller(installation: Installation, newsletter: Newsletter) -> Controller:
    settings = installation.settings
    return Controller(
        name=settings.controller_name or newsletter.sender_name or newsletter.name,
        organisation_number=settings.controller_organisation_number,
        address=settings.controller_address,
        email=settings.controller_email or newsletter.sender_address,
    )
