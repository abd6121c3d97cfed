"""A file of people, read row by row. Pure."""
