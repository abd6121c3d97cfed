"""What the words of mail servers mean, and which of them are kept."""
