"""What templates are given: small frozen structs, built by pure functions."""
