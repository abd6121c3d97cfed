"""Who writes which letter: each kind belongs to a feature, and the outbox, which mails them all, knows none of them."""

from functools import partial

from newsletter.database import Session
from newsletter.editors.signing_in.letters import write_recovery
from newsletter.installation import Installation
from newsletter.issues.preview import write_test
from newsletter.limits.letters import Caused, limited
from newsletter.mail.outbox import Writer, WrittenLetter
from newsletter.mail.tables import Letter, LetterKind
from newsletter.newsletters.actions import on_offer
from newsletter.renewal.letters import write as write_about_agreement
from newsletter.rights.desk.letters import write_reminder
from newsletter.rights.my.letters import write_link, write_new_address, write_old_address
from newsletter.rights.my.tables import AddressChange, MyVisit
from newsletter.signup.letters import write_confirmation, write_welcome
from newsletter.signup.tables import SignupRequest
from newsletter.unsubscribe.actions import unsubscribe_token


def writers(installation: Installation) -> dict[LetterKind, Writer]:
    """Give what writes each kind of letter."""

    async def welcome(session: Session, letter: Letter) -> WrittenLetter | None:
        token = unsubscribe_token(installation.keys, letter.subscription_id or "")
        return await write_welcome(installation, installation.url(f"/unsubscribe/{token}"), session, letter)

    # What strangers can cause. The link to my page, the way to one's rights, goes to who is known, and never waits.
    confirmation = limited(installation, Caused("request_id", SignupRequest), partial(write_confirmation, installation))
    my_link = limited(installation, Caused("visit_id", MyVisit, waits=False), partial(write_link, installation))
    new_address = limited(installation, Caused("change_id", AddressChange), partial(write_new_address, installation))

    async def recovery(session: Session, letter: Letter) -> WrittenLetter | None:
        offered = await on_offer(session)
        sender = offered[0].sender_address if offered else installation.settings.controller_email
        return await write_recovery(installation, session, letter, sender)

    return {
        LetterKind.CONFIRMATION: confirmation,
        LetterKind.WELCOME: welcome,
        LetterKind.TEST: partial(write_test, installation),
        LetterKind.NOTICE_CHANGED: partial(write_about_agreement, installation),
        LetterKind.RECONFIRMATION: partial(write_about_agreement, installation),
        LetterKind.REMINDER: partial(write_about_agreement, installation),
        LetterKind.RENEWAL: partial(write_about_agreement, installation),
        LetterKind.RIGHTS_DUE: partial(write_reminder, installation),
        LetterKind.MY_LINK: my_link,
        LetterKind.NEW_ADDRESS: new_address,
        LetterKind.OLD_ADDRESS: partial(write_old_address, installation),
        LetterKind.RECOVERY: recovery,
    }
