"""Proving who someone is: passwords, tokens, API keys, and how often one may try. The only door to argon2."""
