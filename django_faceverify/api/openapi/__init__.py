"""The API described in OpenAPI 3.1, for programs: data, and how drf-spectacular reads it.

``operations`` is the table of what can be asked, ``description`` says it as OpenAPI does,
``sent`` and ``told`` are the shapes on the way in and out, ``refused`` the problem documents.
Only ``inspector`` and ``view`` need drf-spectacular (the extra ``openapi``): without it, the
API works and describes nothing.
"""
