"""Leaving: the page, the button and the one-click of the mail program."""
