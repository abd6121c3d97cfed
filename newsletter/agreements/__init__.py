"""The evidence that a person asked for a newsletter, the notices they saw, and how it all ends."""
