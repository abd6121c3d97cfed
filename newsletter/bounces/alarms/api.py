"""An editor's word on what comes back, for other programs: that alarms were seen.

What there is to see is `figures/returned/api.py`, with the other figures.
"""

from typing import Annotated

import msgspec
from litestar.params import JSONBody
from msgspec import Meta

from newsletter.bounces.alarms import seen as alarms_seen
from newsletter.editors.audit import actions as audit
from newsletter.editors.audit.actions import Act
from newsletter.editors.keys import Scope, require
from newsletter.web import WebRequest, installation_of
from newsletter.web.inputs import Input
from newsletter.web.operations import Body, Operation


class Seeing(Input):
    """Which alarms were seen: those of a code, up to where they were shown."""

    code: Annotated[str, Meta(pattern="^[0-9.]{0,12}$", description="The alarm's `code`.")]
    up_to: Annotated[str, Meta(pattern=alarms_seen.PATTERN, description="The alarm's `up_to`.")]


class SeenOutput(msgspec.Struct):
    """How many these are; 0 where all of them were seen before."""

    seen: int


@Operation(
    "POST",
    "/returned/alarms/seen",
    require(Scope.SEND),
    name="seeAlarms",
    summary="Say that alarms were seen",
    tag="figures",
    body=Body(),
    errors=(404,),
)
async def see_alarms(request: WebRequest, data: JSONBody[Seeing]) -> SeenOutput:
    """Take the alarms of a code as seen, up to where they were shown. Later ones are news again."""
    installation, up_to = installation_of(request), alarms_seen.read(data.up_to)
    async with installation.database.write() as session:
        seen = await alarms_seen.see(session, installation, data.code, up_to, audit.actor_of(request))
        if seen:
            await audit.did(request, session, Act.ALARM_SEEN, count=seen)
    return SeenOutput(seen)


handlers = [see_alarms]
