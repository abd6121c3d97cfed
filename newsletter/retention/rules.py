"""The rules of retention: everything that is kept for a time, each with what it is, why it is kept and how long.

A personal column that no deletion of a subscriber reaches names its rule by `purged_by`; so this list is what the
privacy notice and the record of processing say about time, too (RULES B5).
"""

from newsletter.retention import editor_rules, people_rules, sending_rules
from newsletter.retention.rule import Rule

RULES: tuple[Rule, ...] = (*people_rules.RULES, *sending_rules.RULES, *editor_rules.RULES)
