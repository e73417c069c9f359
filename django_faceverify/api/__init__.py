"""The REST API: one door among others, which asks ``intake`` and renders the answer."""
