"""Published models as runs."""
