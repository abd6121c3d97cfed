"""What is left of somebody who is gone: keyed tags that expire."""
