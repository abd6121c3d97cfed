"""What comes back: which refusals mean a dead address, and what follows from it."""
