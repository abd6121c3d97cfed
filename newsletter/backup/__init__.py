"""Making a copy of everything, putting it back, and what a database that came back must do before anything is sent."""
