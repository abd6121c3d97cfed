"""The people, each reachable at one address, and what they subscribe to."""
