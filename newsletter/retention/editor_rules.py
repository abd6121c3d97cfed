"""The rules about the console: who was signed in, who did what, and that the rules themselves ran."""

from newsletter.editors import accounts, sessions
from newsletter.editors import tables as editors
from newsletter.editors.audit import retention as audit_retention
from newsletter.editors.audit import tables as audit
from newsletter.editors.keys import actions as keys
from newsletter.editors.signing_in import limits, networks, recovery
from newsletter.retention import runs
from newsletter.retention.rule import DAY, MONTH, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        editors.SESSIONS,
        "The sign-ins of editors, as a hash of their cookie, with the kind of browser",
        "So that editors need not sign in for each page",
        lambda _: sessions.LIFE,
        sessions.count_expired,
        sessions.purge_expired,
    ),
    Rule(
        editors.LIMITS,
        "How much was tried at the console's door, by keyed hashes of the account and the network",
        "To keep others out of the console",
        lambda _: limits.LIFE,
        limits.count_expired,
        limits.purge_expired,
    ),
    Rule(
        editors.NETWORKS,
        "From which networks editors sign in, as keyed hashes",
        "So that nobody can keep them out by trying passwords",
        lambda _: networks.LIFE,
        networks.count_expired,
        networks.purge_expired,
    ),
    Rule(
        "recovery links",
        "That an editor has asked for a new password",
        "To find them by the link that was mailed",
        lambda _: recovery.LIFE,
        recovery.count_expired,
        recovery.purge_expired,
    ),
    Rule(
        "API keys",
        "The names of API keys that were revoked or have expired",
        "So that the audit trail says which it was",
        lambda settings: settings.retention_audit * MONTH,
        keys.count_over,
        keys.purge_over,
        DAY,
    ),
    Rule(
        editors.RULE,
        "The names of editors who were removed; their address and password went at once",
        "So that the audit trail says who it was",
        lambda settings: settings.retention_audit * MONTH,
        accounts.count_removed,
        accounts.purge_removed,
        DAY,
    ),
    Rule(
        audit.RULE,
        "The audit trail: which editor, key or command read or changed what, and when",
        "To show who had to do with personal data",
        lambda settings: settings.retention_audit * MONTH,
        audit_retention.count_expired,
        audit_retention.purge_expired,
        DAY,
    ),
    Rule(
        "retention runs",
        "When each rule here ran and how many it purged",
        "To show that what is over goes",
        lambda settings: settings.retention_audit * MONTH,
        runs.count_expired,
        runs.purge_expired,
        DAY,
    ),
)
