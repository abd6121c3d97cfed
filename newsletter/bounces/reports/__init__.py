"""Reports: taken once by every way in, stored as status fields, remembered."""
