"""Notices announced to many: whom, in which order, and who has not answered."""
