"""Counting opens and clicks without knowing whose they are."""
