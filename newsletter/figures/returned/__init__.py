"""What came back, counted and shown."""
