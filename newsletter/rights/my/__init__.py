"""My page: what people do about their own data, by themselves."""
