"""The people who sign in to the console, and the API keys of other programs."""
