"""What texts do to the ledger, before the carrier gets its 200: nothing for nearly all of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from consent import acquiring, keywords, ledger, revocation, rulebook, scoping
from consent.models import Brand, ConsentEvent, Program, Standing
from consent.purposes import Category, Kind, Level, Source
from contactcenter.lib import phone
from conversations.carriers import webhooks
from conversations.models import Conversation, Line
from conversations.reading import Delivery

# What people text to join, confirm or keep a program is short; nothing longer is looked up.
WORDS_AT_MOST = 4


@dataclass(frozen=True)
class Said:
    """A text as far as it is readable: a STOP counts even when its text can't be threaded."""

    phone: str
    to: str
    body: str
    at: datetime
    ref: str

    def report(self, brand_id: int, kind: Kind, *, rule: str, source: Source = Source.KEYWORD) -> ledger.Report:
        return ledger.Report(
            phone=self.phone,
            brand_id=brand_id,
            kind=kind,
            source=source,
            occurred_at=self.at,
            rule=rule,
            message_ref=self.ref,
            evidence={"words": self.body},
        )


def reports(deliveries: Sequence[Delivery], *, now: datetime) -> list[ledger.Report]:
    """What these texts say about consent, in order. One statement more than nothing when any is short, and a few for
    each that does say something."""
    texts = [text for text in map(said, deliveries) if text is not None]
    short = {id(text): words for text in texts if 0 < len((words := keywords.fold(text.body)).split()) <= WORDS_AT_MOST}
    brands = brands_by_line(text.to for text in texts if id(text) in short)
    told = []
    for text in texts:
        by_itself = of_itself(text, now=now)
        told += by_itself
        if not by_itself and (brand_id := brands.get(text.to)) is not None and id(text) in short:
            told += of_programs(text, short[id(text)], brand_id, now=now)
    return told


def said(delivery: Delivery) -> Said | None:
    sender, body = webhooks.words(delivery.payload, "from"), delivery.payload.get("text")
    if not sender or not isinstance(body, str):
        return None
    return Said(
        phone=phone.from_carrier(sender),
        to=phone.from_carrier(webhooks.words(delivery.payload, "to")),
        body=body,
        at=webhooks.moment(delivery.payload.get("timestamp")) or delivery.received_at,
        ref=(webhooks.words(delivery.payload, "message_uuid") or delivery.key)[:64],
    )


# --- STOP, START, and free text ------------------------------------------------------------------------------


def of_itself(text: Said, *, now: datetime) -> list[ledger.Report]:
    """What a text says to anybody who sends texts, whatever their programs."""
    classified = revocation.classify(text.body)
    keyword = keywords.match(text.body)
    if classified.kind == "revoke":
        kind = Kind.REVOKED
    elif classified.kind == "suspect":
        kind = Kind.SUSPECTED
    elif keyword is not None and keyword.meaning == "start":
        kind = Kind.RESUMED
    else:
        return []
    source = Source.KEYWORD if keyword else Source.FREE_TEXT
    rule = f"keyword:{keyword.word}" if keyword else classified.rule
    scope = scope_of(text, now=now) if kind == Kind.REVOKED else None
    return [
        weighed(replace(text.report(brand_id, kind, rule=rule, source=source), scope=scope), now=now)
        for brand_id in addressed_brands(text.to, kind)
    ]


def weighed(report: ledger.Report, *, now: datetime) -> ledger.Report:
    """A "no" in other words than STOP waits for a person where the law lets a brand name one way, and it does."""
    is_free = report.kind == Kind.REVOKED and report.source == Source.FREE_TEXT
    if not is_free or not scoping.may_designate(now.date()):
        return report
    programs = Program.objects.filter(brand=report.brand_id, is_active=True)
    shown = [program.current_disclosure(program.language) for program in programs]
    if scoping.is_in_question([found.text if found else "" for found in shown], now.date()):
        return replace(report, kind=Kind.SUSPECTED, scope=None)
    return report


def addressed_brands(number: str, kind: Kind) -> list[int]:
    """The brand whose line was texted. A "no" to a number that is no line of ours (any more) is said to all of them."""
    brand_id = Line.objects.filter(number=number).values_list("brand_id", flat=True).first()
    if brand_id is not None:
        return [brand_id]
    return [] if kind == Kind.RESUMED else list(Brand.objects.order_by("pk").values_list("pk", flat=True))


def scope_of(text: Said, *, now: datetime) -> Category | None:
    """What a "no" is about, where the law lets it be about less than everything: what they were texted last."""
    if not scoping.may_be_narrow(now.date()):
        return None
    programs = (
        Conversation.objects.filter(contact__phone=text.phone, line__number=text.to, messages__program__isnull=False)
        .order_by("-messages__id")
        .values_list("messages__program__category", flat=True)
    )
    category = programs.first()
    return scoping.scope(Category(category) if category else None, now.date())


# --- JOIN, YES, KEEP -----------------------------------------------------------------------------------------


def brands_by_line(numbers: Iterable[str]) -> Mapping[str, int]:
    wanted = set(numbers)
    return dict(Line.objects.filter(number__in=wanted).values_list("number", "brand_id")) if wanted else {}


def of_programs(text: Said, words: str, brand_id: int, *, now: datetime) -> list[ledger.Report]:
    """What a short text says to a brand's programs: that somebody joins one, confirms it, or keeps it after a STOP."""
    if words in folded("confirmation.yes_words", now):
        return confirmation(text, brand_id)
    keep, _, rest = words.partition(" ")
    programs = {
        keywords.fold(program.opt_in_keyword): program
        for program in Program.objects.filter(brand=brand_id, is_active=True).exclude(opt_in_keyword="")
    }
    if words in programs:
        return joining(text, programs[words])
    if keep in folded("confirmation.keep_words", now) and rest in programs:
        return keeping(text, programs[rest], now=now)
    return []


def folded(rule: str, now: datetime) -> frozenset[str]:
    return frozenset(str(rulebook.value(rule, now.date())).split())


def joining(text: Said, program: Program) -> list[ledger.Report]:
    """The words that the person saw before are the program's current disclosure: its advertisements show it."""
    disclosure = program.current_disclosure()
    evidence = {"words": text.body, "disclosure": f"{disclosure.pk} {disclosure.sha256}" if disclosure else ""}
    try:
        return [
            acquiring.report(
                program=program,
                phone=text.phone,
                source=Source.KEYWORD,
                evidence=evidence,
                occurred_at=text.at,
                message_ref=text.ref,
                rule=f"join:{program.opt_in_keyword.upper()}",
            )
        ]
    except acquiring.NotEnoughProof:
        return []  # an agent reads it as any other text


def confirmation(text: Said, brand_id: int) -> list[ledger.Report]:
    """YES means the youngest request that waits for it; whether it still counts is decided under the lock."""
    standing = Standing.objects.filter(subject__phone=text.phone, brand=brand_id).first()
    waiting = standing.state.waiting_requests() if standing else []
    return [
        replace(text.report(brand_id, Kind.CONFIRMED, rule="confirm:YES"), program_id=program_id)
        for program_id in waiting[:1]
    ]


def keeping(text: Said, kept: Program, *, now: datetime) -> list[ledger.Report]:
    """After a STOP: the programs of the named category that the person had agreed to are theirs again, no others
    (47 CFR 64.1200(a)(12))."""
    standing = Standing.objects.filter(subject__phone=text.phone, brand=kept.brand_id).first()
    if standing is None or standing.revoked_at is None or kept.category == Category.PROMOTIONAL:
        return []
    within = timedelta(hours=int(rulebook.value("confirmation.keep_hours", now.date())))
    if not standing.state.is_suppressed or not timedelta(0) < text.at - standing.revoked_at <= within:
        return []
    ended = acquiring.ended_by_the_last_no(standing)
    programs = Program.objects.filter(pk__in=ended, category=kept.category, is_active=True)
    return [
        replace(
            text.report(kept.brand_id, Kind.GRANTED, rule=f"keep:{kept.opt_in_keyword.upper()}"),
            program_id=program.pk,
            level=Level(ended[program.pk].level),
        )
        for program in programs.order_by("pk")
    ]


# --- Afterwards ----------------------------------------------------------------------------------------------


def of(carrier_ids: Sequence[str]) -> dict[str, ConsentEvent]:
    """What each of these texts did, by the carrier's id; of several things the first that changed something."""
    events: dict[str, ConsentEvent] = {}
    for event in ConsentEvent.objects.filter(message_ref__in=carrier_ids).order_by("id"):
        if event.message_ref not in events or events[event.message_ref].effect == "nothing":
            events[event.message_ref] = event
    return events
