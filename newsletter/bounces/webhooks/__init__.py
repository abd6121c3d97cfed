"""Webhooks: what sending services tell of our mails, one more way in to the same reports."""
