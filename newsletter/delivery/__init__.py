"""Sending an issue to its audience, once each, through the ledger."""
