"""What people may do about their own data, themselves and by way of an editor (GDPR chapter III; RULES B)."""
