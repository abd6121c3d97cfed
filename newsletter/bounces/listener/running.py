"""The listener: where bounces, complaints and unsubscribing mails come in by SMTP and LMTP (RULES E4, F5).

A mail server points here for the bounce domain. It lives in the worker, and a mail is answered for when it is on the
disk. A port that another worker has is no reason not to mail: it is tried again every few seconds, so another takes
over where one ends.
"""

import asyncio
import errno
import logging
from functools import partial

from newsletter.bounces.listener.answers import Answers
from newsletter.bounces.listener.door import Door
from newsletter.bounces.listener.storing import Storing
from newsletter.bounces.listener.talk import Talk
from newsletter.bounces.listener.telling import Telling
from newsletter.installation import Installation
from newsletter.logs import get_logger, where

_BACKLOG = 200
_STOP_SECONDS = 5.0
_log = get_logger(__name__)


class Listener:
    """The listener of the worker of that name. Let `keep` be called every few seconds, and `stop` at the end."""

    def __init__(self, installation: Installation, worker: str) -> None:
        self._at = installation.settings.inbound
        self._telling = Telling(installation, worker)
        self._trouble: str | None = None
        self._door = Door(installation.clock)
        self._storing = Storing(installation)
        answers = Answers(installation, self._storing, self._door)
        # No name that the mail server in front could have itself: it would take us for a loop.
        name = f"listener.{installation.settings.bounce_domain}"
        self._talk = partial(Talk, answers, self._door, self, name)
        self._talks: set[Talk] = set()
        self._no_talk = asyncio.Event()
        self._no_talk.set()
        self._server: asyncio.Server | None = None
        self._told = False
        self._stopped = False
        # It tells of addresses and of whoever sends them.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)

    @property
    def listens(self) -> bool:
        """Say whether it is this worker that listens."""
        return self._server is not None

    async def keep(self) -> None:
        """Listen, if this is wanted and the port is free; write down what was refused, and say how it is."""
        if self._at is not None and self._server is None and not self._stopped:
            await self._listen(*self._at)
        await self._storing.write_counts()
        if self._at is None:
            await self._telling.say_nothing()
        elif not self._stopped:
            await self._telling.say(place_of(*self._at), self._trouble)

    async def _listen(self, host: str, port: int) -> None:
        try:
            server = await asyncio.get_running_loop().create_server(self._talk, host, port, backlog=_BACKLOG)
        except OSError as error:
            self._trouble = _TROUBLES.get(error.errno or 0, "the port can't be opened")
            if not self._told:
                self._told = True
                _log.warning("listener_waits", at=place_of(host, port), kind=type(error).__name__, why=_WHY)
            return
        self._server, self._told, self._trouble = server, False, None
        _log.info("listener_listens", at=place_of(host, port))

    async def stop(self) -> None:
        """Listen no more; what is being stored is answered for, whoever else is connected is told to come again."""
        self._stopped = True
        self._door.shut()
        if self._server is not None:
            self._server.close()
            self._server = None
        for talk in tuple(self._talks):
            talk.stop()
        try:
            await asyncio.wait_for(self.all_gone(), _STOP_SECONDS)
        except TimeoutError:
            for talk in tuple(self._talks):
                talk.cut_off()
        try:
            await self._storing.write_counts()
            await asyncio.wait_for(self._telling.end(), _STOP_SECONDS)
        except Exception as error:  # The program ends all the same.
            _log.warning("listener_not_counted", kind=type(error).__name__, where=where(error))

    async def all_gone(self) -> None:
        """Wait until nobody is connected."""
        await self._no_talk.wait()

    def begun(self, talk: Talk) -> None:
        """Hear that a connection begins."""
        self._talks.add(talk)
        self._no_talk.clear()

    def ended(self, talk: Talk) -> None:
        """Hear that a connection is over."""
        self._talks.discard(talk)
        if not self._talks:
            self._no_talk.set()


def place_of(host: str, port: int) -> str:
    """Give host and port, as people name them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_TROUBLES = {
    errno.EADDRINUSE: "the port is taken",
    errno.EACCES: "the port is not ours to take",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}
_WHY = "the port is taken, or not ours to take; bounces don't come in here until it is free"
