"""Chains of hashes, and their signed heads: a past that can't be changed without being found out."""
