"""What texts do to the ledger, before the carrier gets its 200: nothing for nearly all of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from consent import acquiring, answers, keywords, ledger, revocation, rulebook, scoping
from consent.models import Brand, ConsentEvent, Program, Standing
from consent.purposes import Category, Kind, Level, Purpose, Source
from contactcenter.lib import phone
from conversations.carriers import webhooks
from conversations.models import Conversation, Line, Message
from conversations.reading import Delivery
from conversations.states import OUT, Status

# What people text to join or keep a program is short; nothing longer is looked up.
WORDS_AT_MOST = 4
# The gate allowed it, and as far as we know it is out.
ASKED = OUT | {Status.SENDING, Status.UNKNOWN}


@dataclass(frozen=True, eq=False)
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
    """What these texts say about consent, in order. No statement where all are long and say nothing, four at most for
    any number of them; a few more for each that does say something."""
    texts = [(text, meaning_of(text.body)) for text in map(said, deliveries) if text is not None]
    plain = [text for text, meaning in texts if meaning is None]
    yes = {text for text in plain if answers.is_yes(text.body, now.date())}
    short = {text: "" if text in yes else short_words(text.body) for text in plain}
    programs = Programs.for_words({words for words in short.values() if words}, now=now)
    asked = [text for text, words in short.items() if text in yes or programs.may_mean_something(words)]
    brands = brands_by_line([*asked, *(text for text, meaning in texts if meaning)])
    standings = standings_of((text, brands.get(text.to)) for text in asked if text in yes)
    questions = questions_to(standings)
    told = []
    for text, meaning in texts:
        brand_id = brands.get(text.to)
        if meaning is not None:
            told += of_itself(text, meaning, brand_id, now=now)
        elif brand_id is not None and text in yes:
            told += confirmation(text, brand_id, standings.get((text.phone, brand_id)), questions)
        elif brand_id is not None and programs.may_mean_something(short[text]):
            told += of_programs(text, short[text], programs, brand_id, now=now)
    return told


def short_words(body: str) -> str:
    """The folded words of a text that is short enough to be looked up, else nothing."""
    words = keywords.fold(body)
    return words if len(words.split()) <= WORDS_AT_MOST else ""


def said(delivery: Delivery) -> Said | None:
    sender, body = webhooks.words(delivery.payload, "from"), webhooks.said(delivery.payload)
    if not sender or not body:
        return None
    return Said(
        phone=phone.from_carrier(sender),
        to=phone.from_carrier(webhooks.words(delivery.payload, "to")),
        body=body,
        at=webhooks.moment(delivery.payload.get("timestamp")) or delivery.received_at,
        ref=(webhooks.words(delivery.payload, "message_uuid") or delivery.key)[:64],
    )


# --- STOP, START, and free text ------------------------------------------------------------------------------


class Meaning(NamedTuple):
    """What words say to anybody who sends texts, whatever their programs."""

    kind: Kind
    source: Source
    rule: str


def meaning_of(body: str) -> Meaning | None:
    classified = revocation.classify(body)
    keyword = keywords.match(body)
    if classified.kind == "revoke":
        kind = Kind.REVOKED
    elif classified.kind == "suspect":
        kind = Kind.SUSPECTED
    elif keyword is not None and keyword.meaning == "start":
        kind = Kind.RESUMED
    else:
        return None
    if keyword:
        return Meaning(kind, Source.KEYWORD, f"keyword:{keyword.word}")
    return Meaning(kind, Source.FREE_TEXT, classified.rule)


def of_itself(text: Said, meaning: Meaning, brand_id: int | None, *, now: datetime) -> list[ledger.Report]:
    scope = scope_of(text, now=now) if meaning.kind == Kind.REVOKED else None
    return [
        weighed(
            replace(text.report(addressed, meaning.kind, rule=meaning.rule, source=meaning.source), scope=scope),
            now=now,
        )
        for addressed in addressed_brands(brand_id, meaning.kind)
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


def addressed_brands(brand_id: int | None, kind: Kind) -> list[int]:
    """The brand whose line was texted. A "no" to a number that is no line of ours (any more) is said to all of them."""
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


@dataclass(frozen=True)
class Programs:
    """What short texts can mean to programs: the words for JOIN and KEEP, and each brand's keywords, all folded."""

    join: frozenset[str]
    keep: frozenset[str]
    by_keyword: Mapping[tuple[int, str], Program]
    keywords: frozenset[str]

    @classmethod
    def for_words(cls, said: Collection[str], *, now: datetime) -> Self:
        """Looks at the programs only where something was said that may be a keyword."""
        active = Program.objects.filter(is_active=True).exclude(opt_in_keyword="") if said else []
        by_keyword = {
            (program.brand_id, word): program for program in active if (word := keywords.fold(program.opt_in_keyword))
        }
        words = frozenset(word for _, word in by_keyword)
        return cls(keywords.listed("join"), answers.keep_words(now.date()), by_keyword, words)

    def may_mean_something(self, words: str) -> bool:
        return not self.keywords.isdisjoint({words, self.joined(words), self.kept(words)})

    def joined(self, words: str) -> str:
        """The keyword behind a JOIN, or nothing."""
        return behind(words, self.join)

    def kept(self, words: str) -> str:
        """The keyword behind a KEEP, or nothing."""
        return behind(words, self.keep)


def behind(words: str, first: Collection[str]) -> str:
    """What follows one of these first words, or nothing."""
    word, _, rest = words.partition(" ")
    return rest if word in first else ""


def brands_by_line(texts: Collection[Said]) -> Mapping[str, int]:
    numbers = {text.to for text in texts}
    return dict(Line.objects.filter(number__in=numbers).values_list("number", "brand_id")) if numbers else {}


def standings_of(asked: Iterable[tuple[Said, int | None]]) -> Mapping[tuple[str, int], Standing]:
    """By number and brand."""
    pairs = {(text.phone, brand_id) for text, brand_id in asked if brand_id is not None}
    if not pairs:
        return {}
    found = Standing.objects.select_related("subject").filter(
        subject__phone__in={number for number, _ in pairs}, brand__in={brand_id for _, brand_id in pairs}
    )
    return {(str(standing.subject.phone), standing.brand_id): standing for standing in found}


def of_programs(text: Said, words: str, programs: Programs, brand_id: int, *, now: datetime) -> list[ledger.Report]:
    """What a short text says to a brand's programs: that somebody joins one, or keeps it after a STOP."""
    for keyword in (words, programs.joined(words)):  # a program may be called JOIN, or JOIN US
        if joined := programs.by_keyword.get((brand_id, keyword)):
            return joining(text, joined)
    if kept := programs.by_keyword.get((brand_id, programs.kept(words))):
        return keeping(text, kept, now=now)
    return []


def joining(text: Said, program: Program) -> list[ledger.Report]:
    """The words that the person saw before are the program's current disclosure: its advertisements show it."""
    disclosure = program.current_disclosure(program.language)
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


class Question(NamedTuple):
    """One that went out to a number: about which program, and when it was asked."""

    program_id: int
    category: Category
    at: datetime


Questions = Mapping[tuple[str, int], Sequence[Question]]


def questions_to(standings: Mapping[tuple[str, int], Standing]) -> Questions:
    """What these numbers were really asked, by number and brand; of programs that wait for an answer. A question that
    the gate blocked, or that has not left yet, is none."""
    waiting = {program_id for standing in standings.values() for program_id in standing.state.waiting_requests()}
    if not waiting:
        return {}
    asked = Message.objects.filter(
        conversation__contact__phone__in={number for number, _ in standings},
        program__in=waiting,
        purpose=Purpose.DOUBLE_OPT_IN,
        status__in=ASKED,
    ).values_list("conversation__contact__phone", "program__brand", "program", "program__category", "occurred_at")
    found = defaultdict(list)
    for number, brand_id, program_id, category, at in asked:
        found[number, brand_id].append(Question(program_id, Category(category), at))
    return found


def confirmation(text: Said, brand_id: int, standing: Standing | None, questions: Questions) -> list[ledger.Report]:
    """YES means the youngest request that was asked about since the last "no" and the last YES; whether it still counts
    is decided under the lock."""
    if standing is None:
        return []
    state = standing.state
    open_ones = {
        question.program_id
        for question in questions.get((text.phone, brand_id), ())
        if state.is_open_since(question.at, question.program_id, question.category)
    }
    waiting = [program_id for program_id in state.waiting_requests() if program_id in open_ones]
    return [
        replace(text.report(brand_id, Kind.CONFIRMED, rule="confirm:YES"), program_id=program_id)
        for program_id in waiting[:1]
    ]


def keeping(text: Said, kept: Program, *, now: datetime) -> list[ledger.Report]:
    """After a STOP: the programs of the named category that the person had agreed to are theirs again, no others
    (47 CFR 64.1200(a)(12))."""
    standing = Standing.objects.filter(subject__phone=text.phone, brand=kept.brand_id).first()
    if not rulebook.value("confirmation.may_clarify", now.date()):
        return []  # nobody was asked
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
