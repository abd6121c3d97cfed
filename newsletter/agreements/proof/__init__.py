"""The evidence: events sealed and chained, records signed, and all of it verified."""
