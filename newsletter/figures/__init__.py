"""What the counts and the ledger say: numbers and pictures."""
