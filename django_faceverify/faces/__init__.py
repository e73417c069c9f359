"""Faces, found and compared on the CPU of this machine (extra ``local``).

``engine`` looks at a photo, ``quality`` says what is wrong with it, ``scale`` how alike two
faces are, ``register`` whose portrait is known. Without the extra all of it can be imported,
and ``engine.look`` raises ``EngineUnavailable``. What it proves and what it does not stands
in ``docs/explanation/local-engine.md``.
"""
