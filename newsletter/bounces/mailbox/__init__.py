"""Fetching bounces from a mailbox, for whom a mail server delivers them there."""
