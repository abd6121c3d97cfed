"""The site that these tests visit."""

from tests.web.site_fixtures import site

__all__ = ["site"]
