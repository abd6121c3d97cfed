"""Telling subscribers of a changed notice, asking them anew, reminding them, and letting lapse what nobody renews."""
