"""``make demo``: everything at once on this machine, and one verification to see it work."""
