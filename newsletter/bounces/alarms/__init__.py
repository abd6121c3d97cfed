"""Signs that our own mail does not pass as ours, and who has seen them."""
