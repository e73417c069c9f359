"""System checks: every wrong configuration that we can name, with a number and a hint.

Importing this package registers them. No check touches the network, and only those of
``host`` a database. The ids stand in ``docs/reference/checks.md``.
"""

from django_faceverify.checks import consent, host, quality, review, settings, tokens

__all__ = ["consent", "host", "quality", "review", "settings", "tokens"]
