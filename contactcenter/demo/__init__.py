"""The demo's data: one organisation and three weeks of its conversations, made from a fixed seed.

``organisation``, ``people``, ``dialogues`` and ``desk`` are who, what and when; ``plot`` and ``stories`` make events of
them, ``plan`` all of them in order. None of these knows the database. ``history`` plays the events through the domain.
"""
