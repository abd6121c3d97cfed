"""The website, on both databases."""

from tests.signup.site_fixtures import site

__all__ = ["site"]
