"""The newsletters one can subscribe to, and their settings."""
