"""The running program: everything wired together, and served until a signal ends it."""
