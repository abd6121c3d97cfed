"""Checking the words that agreements rest on: notices and terms are named by the hash of what they say."""

from typing import Any

from sqlalchemy import exists
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from newsletter.agreements.notices.actions import Wording
from newsletter.agreements.tables import Agreement, AgreementTerms, Notice
from newsletter.chain.findings import MOST_OF_A_KIND, Fault, Finding, Findings
from newsletter.chain.rules import sha256
from newsletter.database import Session, table_of

_AGREEMENTS = table_of(Agreement)


async def check_words(session: Session, findings: Findings) -> None:
    """Report notices and terms that were changed, and those that agreements rest on and that are gone."""
    for notice in (await session.exec(select(Notice))).all():
        if Wording(notice.language, notice.label, notice.text).hash != notice.hash:
            sentence = f"the notice {notice.hash} no longer has the words that its name is the hash of"
            findings.add(Finding(Fault.CHANGED_NOTICE, sentence))
    for terms in (await session.exec(select(AgreementTerms))).all():
        if sha256(terms.body) != terms.hash:
            sentence = f"the terms {terms.hash} no longer have the words that their name is the hash of"
            findings.add(Finding(Fault.CHANGED_TERMS, sentence))
    await _check_kept(session, _AGREEMENTS.c.notice_hash, col(Notice.hash), Fault.CHANGED_NOTICE, "notice", findings)
    await _check_kept(
        session, _AGREEMENTS.c.terms_hash, col(AgreementTerms.hash), Fault.CHANGED_TERMS, "terms", findings
    )


async def _check_kept(session: Session, referred: Any, kept: Any, fault: Fault, what: str, findings: Findings) -> None:
    """Report words that agreements rest on and that are gone."""
    missing = select_rows(referred).where(referred.is_not(None), ~exists().where(kept == referred))
    for gone in (await session.execute(missing.distinct().limit(MOST_OF_A_KIND))).scalars():
        findings.add(Finding(fault, f"the {what} {gone}, which agreements rest on, can no longer be found"))
