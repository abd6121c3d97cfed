"""The demonstration's mailbox in the browser."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from newsletter.demo.catcher import Catcher, Caught
from newsletter.errors import NotFound
from newsletter.web import MAIL_FRAME_POLICY, PRIVATE_HEADERS, WebRequest, page


def inbox_pages(catcher: Catcher) -> list[ControllerRouterHandler]:
    """Give the pages that show what `catcher` caught."""

    def caught(number: int) -> Caught:
        mail = catcher.mail(number)
        if mail is None:
            raise NotFound("This mail is no longer here.")
        return mail

    @get("/demo/inbox", include_in_schema=False)
    async def inbox(request: WebRequest) -> Response[Any]:
        """Show all mails."""
        return page(request, "demo/inbox.html", private=True, messages=catcher.mails())

    @get("/demo/inbox/{number:int}", include_in_schema=False)
    async def message(request: WebRequest, number: FromPath[int]) -> Response[Any]:
        """Show one mail with its headers."""
        mail = caught(number)
        shown = {
            "id": mail.id,
            "to": mail.to,
            "from_": str(mail.message["from"]),
            "subject": mail.subject,
            "received_at": mail.received_at,
            "headers": [(name, str(value)) for name, value in mail.message.items()],
            "text": mail.part("plain"),
        }
        return page(request, "demo/message.html", private=True, message=shown)

    @get("/demo/inbox/{number:int}/body", include_in_schema=False)
    async def body(number: FromPath[int]) -> Response[str]:
        """Give a mail's HTML part for its frame; its links open beside it."""
        html = caught(number).part("html").replace("<head>", '<head><base target="_blank">', 1)
        headers = {"content-security-policy": MAIL_FRAME_POLICY} | PRIVATE_HEADERS
        return Response(html, media_type="text/html", headers=headers)

    return [inbox, message, body]
