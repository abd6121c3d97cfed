"""Bringing people in from a file, with the evidence of their agreement, and taking them out into one (RULES H7, H8)."""
