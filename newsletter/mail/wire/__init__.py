"""SMTP: conversations, pipelines and the lines that keep them."""
