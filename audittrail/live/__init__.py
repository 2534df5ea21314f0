"""Who looks, and what has changed for them."""
