"""Every table in one place."""

from sqlmodel import SQLModel

from newsletter import hearts
from newsletter.agreements import tables as agreements
from newsletter.agreements.notices import tables as notices
from newsletter.agreements.traces import tables as tags
from newsletter.bounces import tables as bounces
from newsletter.bounces.listener import tables as listeners
from newsletter.bounces.mailbox import tables as mailboxes
from newsletter.bounces.reports import tables as reports
from newsletter.bounces.webhooks import tables as webhooks
from newsletter.chain import tables as chain
from newsletter.delivery import tables as delivery
from newsletter.delivery.pace import tables as paces
from newsletter.editors import tables as editors
from newsletter.editors.audit import tables as audit
from newsletter.imports import tables as imports
from newsletter.issues import tables as issues
from newsletter.limits import tables as limits
from newsletter.mail import tables as mail
from newsletter.measurement import tables as measurement
from newsletter.newsletters import processor_tables as processors
from newsletter.newsletters import tables as newsletters
from newsletter.privacy import tables as privacy
from newsletter.renewal import tables as renewal
from newsletter.retention import rewriting_tables as rewriting
from newsletter.retention import tables as retention
from newsletter.rights.desk import tables as desk
from newsletter.rights.my import tables as rights
from newsletter.signup import tables as signup
from newsletter.subscribers import tables as subscribers

TABLES = (
    agreements,
    audit,
    bounces,
    chain,
    delivery,
    desk,
    editors,
    hearts,
    imports,
    issues,
    limits,
    listeners,
    mail,
    mailboxes,
    measurement,
    newsletters,
    notices,
    paces,
    privacy,
    processors,
    rights,
    renewal,
    reports,
    retention,
    rewriting,
    signup,
    subscribers,
    tags,
    webhooks,
)
METADATA = SQLModel.metadata
