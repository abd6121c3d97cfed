"""Signing in: limits on what is tried, the second factor, the forms' tokens, and the way back for who forgot."""
