"""What is said of the people in a file: where they come from, on which grounds, under which notice (RULES H7). Pure.

The grounds are two, and both must hold (RULES A1, A2). The short words stand for the usual pairs: who agreed to a
newsletter has a contract and gave a consent, an existing customer rests on a legitimate interest and on the exception
of marketing law.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.agreements.rules import check_bases
from newsletter.agreements.tables import Basis, MarketingBasis
from newsletter.errors import InvalidInput
from newsletter.imports.choices import Ground
from newsletter.imports.tables import Mode

CURRENT = "current"
LONGEST_SOURCE = 200
BASES: Mapping[str, tuple[Basis, MarketingBasis]] = {
    Ground.CONSENT: (Basis.CONSENT, MarketingBasis.CONSENT),
    Ground.CONTRACT: (Basis.CONTRACT, MarketingBasis.CONSENT),
    Ground.EXISTING_CUSTOMER: (Basis.LEGITIMATE_INTEREST, MarketingBasis.EXISTING_CUSTOMER),
    Ground.LEGITIMATE_INTEREST: (Basis.LEGITIMATE_INTEREST, MarketingBasis.NOT_MARKETING),
}
_BY_ARTICLE = {str(basis): (basis, marketing) for basis, marketing in reversed(list(BASES.values()))}
_HASH = re.compile(r"[0-9a-f]{64}")
_STATED = ("true", "on", "1", "yes")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Mode, both grounds, the hash of the notice or `current`, the source, and the hash of what proves it, if any."""

    mode: Mode
    gdpr_basis: str
    marketing_basis: str
    opt_out_shown: bool
    notice: str
    source: str
    evidence_hash: str

    @property
    def sale_needed(self) -> bool:
        """Say whether each row must refer to a sale (RULES A2)."""
        return self.mode is not Mode.SUPPRESS and self.marketing_basis == MarketingBasis.EXISTING_CUSTOMER


def read_evidence(values: Mapping[str, str]) -> Evidence:
    """Read `mode`, `basis`, `marketing`, `opt_out_shown`, `notice`, `source` and `evidence`, as a form or a command
    gives them.

    Raises InvalidInput, with a sentence for each that is missing or won't do.
    """
    wrong: dict[str, str] = {}
    mode = values.get("mode") or Mode.CONFIRM
    if mode not in set(Mode):
        wrong["mode"] = f"Say what is to become of these people: {', '.join(Mode)}."
    source = values.get("source", "").strip()
    if not source:
        wrong["source"] = "Say where these people come from, such as: orders in the shop, 2024."
    elif len(source) > LONGEST_SOURCE or not source.isprintable():
        wrong["source"] = f"The source must be one line of at most {LONGEST_SOURCE} characters."
    evidence = values.get("evidence", "").strip().lower()
    if evidence and not _HASH.fullmatch(evidence):
        wrong["evidence"] = "The evidence is named by the SHA-256 of its file, 64 characters from 0 to f."
    gdpr, marketing, opt_out_shown = "", "", values.get("opt_out_shown", "").lower() in _STATED
    notice = values.get("notice", "").strip().lower() or CURRENT
    if mode != Mode.SUPPRESS:
        if notice != CURRENT and not _HASH.fullmatch(notice):
            wrong["notice"] = "The notice is named by its hash, or is “current”."
        try:
            gdpr, marketing = _grounds(values)
            # Each row brings its own sale reference.
            check_bases(gdpr, marketing, sale_reference="of each row", opt_out_shown=opt_out_shown)
        except InvalidInput as error:
            wrong |= error.fields
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), wrong)
    return Evidence(Mode(mode), gdpr, marketing, opt_out_shown, notice, source, evidence)


def _grounds(values: Mapping[str, str]) -> tuple[str, str]:
    basis = values.get("basis", "").strip().lower()
    if basis not in BASES and basis not in _BY_ARTICLE:
        sentence = f"Say on which ground you write to them: {', '.join(BASES)}."
        raise InvalidInput(sentence, {"basis": sentence})
    gdpr, marketing = BASES.get(basis) or _BY_ARTICLE[basis]
    return gdpr, values.get("marketing", "").strip().lower() or marketing
