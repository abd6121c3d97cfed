"""Mail: its bytes, its way to the relay, and the letters to one person each."""
