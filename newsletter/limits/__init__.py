"""How much strangers may cause: requests from a network, letters to an address and a domain, confirmations in all."""
