"""Who may be texted, and why: the tables.

``ConsentEvent`` is the truth. It is only ever inserted (``ledger.record``), and triggers refuse everything else.
``Standing`` is what the ledger says today; it can be rebuilt, and its row is what a send and a STOP both lock.
"""

from consent.models.attempts import Attempt
from consent.models.choices import choices
from consent.models.decisions import Decision, Hold
from consent.models.imports import ConsentImport, ImportPart, ImportRefusal
from consent.models.ledger import GENESIS, ConsentEvent, Evidence, Seal, Subject, phone_hash
from consent.models.programs import Brand, Disclosure, Program
from consent.models.standings import Review, Standing

__all__ = [
    "GENESIS",
    "Attempt",
    "Brand",
    "ConsentEvent",
    "ConsentImport",
    "Decision",
    "Disclosure",
    "Evidence",
    "Hold",
    "ImportPart",
    "ImportRefusal",
    "Program",
    "Review",
    "Seal",
    "Standing",
    "Subject",
    "choices",
    "phone_hash",
]
