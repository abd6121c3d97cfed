"""Through a real Postfix with STARTTLS and a password: each mail arrives once, and its signature still holds.

With NEWSLETTER_TEST_KILLS it is 10,000 mails.
"""

import importlib
from pathlib import Path
from urllib.parse import quote

import pytest

from newsletter.mail.dkim.keys import dns_record, new_key, private_pem
from tests.journeys.large import CONNECTIONS, begin, settings_of
from tests.support.opendkim import allowed, complaints
from tests.support.postfix import PASSWORD, USER, running_postfix
from tests.support.sink import Sink
from tests.support.waiting import eventually
from tests.support.workers import BY_HAND, WorkerProcess, running

READERS = 10_000 if BY_HAND else 300
LOOKED_AT = 300
KEY = new_key()
RECORDS = dict([dns_record("example.com", "s1", KEY.public_key())])
SIGNING = {"dkim_domain": "example.com", "dkim_selector": "s1", "dkim_key": private_pem(KEY)}


def look_up(name: bytes, timeout: int = 5) -> bytes:
    return RECORDS[name.decode().rstrip(".")].encode()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_every_mail_arrives_once_and_signed(database_url: str, tmp_path: Path) -> None:
    with Sink(tmp_path / "sink", keep=True) as sink, running_postfix(sink.port) as postfix:
        worker = WorkerProcess(tmp_path / "data", settings_of(database_url, postfix.url) | SIGNING)
        worker.trust(postfix.authority.file)
        mailing = begin(worker.environment, READERS)
        with running(worker):
            mailing.finished(600)
        sink.wait_for(READERS, 600)
        eventually(lambda: postfix.waiting == 0, what="the end of Postfix's queue")
        mailing.check(sink, 0)
        log = postfix.log
    assert log.count(f"sasl_username={USER}") == READERS
    assert log.count(": connect from") <= CONNECTIONS, "a connection is for many mails"
    mails = sink.mails[:LOOKED_AT]
    dkimpy = importlib.import_module("dkim")
    assert all(dkimpy.verify(mail, dnsfunc=look_up) for mail in mails)
    assert not allowed() or complaints(mails, RECORDS) == []


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_wrong_password_sends_nothing_and_refuses_nobody(database_url: str, tmp_path: Path) -> None:
    with Sink(tmp_path / "sink") as sink, running_postfix(sink.port) as postfix:
        url = postfix.url.replace(f"{USER}:", f"{USER}:x")
        worker = WorkerProcess(tmp_path / "data", settings_of(database_url, url))
        worker.trust(postfix.authority.file)
        mailing = begin(worker.environment, 10)
        with running(worker):
            eventually(lambda: "refused our user name or password" in worker.log, what="a word about it")
        assert "authentication failed" in postfix.log
        assert (sink.taken, mailing.standing().queued) == (0, 10)
        assert not any(secret in worker.log for secret in (PASSWORD, quote(PASSWORD, safe=""), "@example.com"))
