"""What a returned mail says. Pure: bytes in, verdicts out."""
