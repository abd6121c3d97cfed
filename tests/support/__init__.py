"""What the tests are run with: a real PostgreSQL, a real SMTP peer, a real browser, the real program."""
