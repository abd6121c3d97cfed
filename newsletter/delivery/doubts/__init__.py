"""Those of whom nobody knows whether they got it, and what an editor decides."""
