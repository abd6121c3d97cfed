"""Passwords: which will do, and how they are kept."""
