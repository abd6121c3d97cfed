"""Asking for a newsletter, and confirming from the mailbox (double opt-in)."""
