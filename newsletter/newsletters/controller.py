"""Who answers for a newsletter's data (GDPR art. 4(7)): the company of the settings, or another it names.

What a newsletter does not say is taken from the settings, each part by itself: another contact alone does not make
another company.
"""

from dataclasses import dataclass

from newsletter.newsletters.tables import Newsletter
from newsletter.settings import Settings


@dataclass(frozen=True, slots=True)
class Responsible:
    """The company that answers, and how to reach it."""

    name: str
    organisation_number: str = ""
    address: str = ""
    contact: str = ""
    data_protection_officer: str = ""


def responsible_for(settings: Settings, newsletter: Newsletter) -> Responsible:
    """Give who answers for this newsletter. A company without a name in the settings is called as the sender is."""
    own_company = newsletter.controller_name
    return Responsible(
        name=own_company or settings.controller_name or newsletter.sender_name or newsletter.name,
        organisation_number=newsletter.controller_organisation_number
        or ("" if own_company else settings.controller_organisation_number),
        address=newsletter.controller_address or ("" if own_company else settings.controller_address),
        contact=newsletter.privacy_contact or settings.controller_email or newsletter.sender_address,
        data_protection_officer=newsletter.data_protection_officer or settings.controller_data_protection_officer,
    )
