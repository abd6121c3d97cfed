"""A self-hosted newsletter subscription and consent manager that respects its readers."""

VERSION = "0.1.0"
