"""How long things are kept: named rules, their schedule, and what they purged when."""
