"""The website, on both databases."""

from tests.signup.site_fixtures import site, sqlite_site

__all__ = ["site", "sqlite_site"]
