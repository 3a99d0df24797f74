"""Switches that make the carrier misbehave: for every message, for the next few, or for one recipient."""

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to misbehave. ``unit`` says what its value means ("" = it takes none)."""

    name: str
    label: str
    unit: str = ""
    default: float = 0


KINDS = {
    kind.name: kind
    for kind in (
        Kind("slow", "Answer late", "seconds", 3),
        Kind("drop_after_accept", "Accept, then cut the line"),
        Kind("http_401", "Refuse: credentials (401)"),
        Kind("http_402", "Refuse: balance (402)"),
        Kind("http_422", "Refuse: invalid (422)"),
        Kind("http_429", "Refuse: too fast (429)"),
        Kind("http_500", "Refuse: internal error (500)"),
        Kind("http_503", "Refuse: unavailable (503)"),
        Kind("reject", "Receipt: rejected with code", "code", 1000),
        Kind("no_receipts", "No receipts"),
        Kind("late_receipts", "Late receipts", "seconds", 20),
        Kind("doubled_receipts", "Each receipt twice"),
        Kind("disordered_receipts", "Delivered before submitted"),
        Kind("early_receipts", "Receipts before the answer"),
        Kind("inbound_copies", "Replies arrive several times", "copies", 3),
        Kind("unsigned_webhooks", "First webhook unsigned"),
        Kind("forged_webhooks", "Webhooks with a wrong signature"),
    )
}


@dataclass(slots=True)
class Fault:
    """A switch that is on. ``times`` counts down (None = until switched off); ``to`` None means everyone."""

    kind: str
    value: float
    times: int | None = None
    to: str | None = None


@dataclass(slots=True)
class Faults:
    """The switches that are on now."""

    active: list[Fault] = field(default_factory=list)

    def switch_on(
        self, kind: str, *, value: float | None = None, times: int | None = None, to: str | None = None
    ) -> Fault:
        """Add a fault, in place of one of the same kind for the same recipient.

        Raises ValueError for a kind that does not exist, a negative value or fewer than one time.
        """
        if kind not in KINDS:
            raise ValueError(f"There is no fault “{kind}”. Choose one of: {', '.join(KINDS)}.")
        if times is not None and times < 1:
            raise ValueError("“times” must be at least 1, or left out.")
        if value is not None and not 0 <= value <= 1_000_000:
            raise ValueError("“value” must be between 0 and 1000000.")
        self.active = [fault for fault in self.active if (fault.kind, fault.to) != (kind, to)]
        fault = Fault(kind, KINDS[kind].default if value is None else value, times, to)
        self.active.append(fault)
        return fault

    def switch_off(self, kind: str | None = None) -> None:
        """Remove every fault of a kind, or all."""
        self.active = [fault for fault in self.active if kind is not None and fault.kind != kind]

    def take(self, kind: str, to: str | None = None) -> Fault | None:
        """Use a fault once, one for this recipient first; returns None when none applies."""
        fitting = [fault for fault in self.active if fault.kind == kind and fault.to in (None, to)]
        if not fitting:
            return None
        fault = min(fitting, key=lambda fault: fault.to is None)
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self.active.remove(fault)
        return fault

    def as_json(self) -> dict[str, object]:
        """Return what can be switched and what is on."""
        return {
            "kinds": [asdict(kind) for kind in KINDS.values()],
            "active": [asdict(fault) for fault in self.active],
        }
