"""Imports in the console: a file brought, looked at, and taken away."""
