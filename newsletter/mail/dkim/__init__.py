"""DKIM: the keys of a domain, and signing with them."""
