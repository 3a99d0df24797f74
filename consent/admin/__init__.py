"""The audit views: what is recorded of consent, and the settings it rests on."""

# In the order in which the index shows them.
from consent.admin import overview, rules, reviews, holds, decisions, records, programs  # noqa: F401, I001
