"""On which ground somebody may be written to: two grounds, and both must hold (RULES A1, A2)."""

from newsletter.agreements.tables import Basis, MarketingBasis
from newsletter.errors import InvalidInput

_LONGEST_REFERENCE = 100


def check_bases(gdpr: str, marketing: str, *, sale_reference: str | None = None, opt_out_shown: bool = False) -> None:
    """Check the GDPR ground and the marketing-law ground of an agreement (RULES A1, A2).

    Raises InvalidInput for a ground that is none, and for an existing customer without a sale, or to whom the opt-out
    was not shown when the address was collected (markedsføringsloven § 15(3)).
    """
    wrong: dict[str, str] = {}
    if gdpr not in set(Basis):
        wrong["gdpr_basis"] = f"The GDPR ground must be one of {', '.join(Basis)}."
    if marketing not in set(MarketingBasis):
        wrong["marketing_basis"] = f"The marketing ground must be one of {', '.join(MarketingBasis)}."
    if marketing == MarketingBasis.EXISTING_CUSTOMER and not (sale_reference or "").strip():
        wrong["sale_reference"] = "An existing customer needs a reference to the sale, such as an order number."
    if marketing == MarketingBasis.EXISTING_CUSTOMER and not opt_out_shown:
        wrong["opt_out_shown"] = "An existing customer may be written to only where the opt-out was shown at the sale."
    if sale_reference and (len(sale_reference) > _LONGEST_REFERENCE or not sale_reference.isprintable()):
        wrong["sale_reference"] = f"The sale's reference must be one line of at most {_LONGEST_REFERENCE} characters."
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), wrong)
