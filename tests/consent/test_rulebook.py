import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import rulebook, zones

TODAY = date(2026, 11, 23)


def rule_text(**changes: str) -> str:
    fields = {
        "id": '"hours.open"',
        "value": "8",
        "effective_from": "2024-01-01",
        "jurisdiction": '"US"',
        "citation": '"47 CFR 64.1200(c)(1)"',
    } | changes
    return "[[rule]]\n" + "".join(f"{name} = {text}\n" for name, text in fields.items() if text)


def word_text(**changes: str) -> str:
    fields = {
        "word": '"STOP"',
        "meaning": '"stop"',
        "language": '"en"',
        "effective_from": "2024-01-01",
        "citation": '"CTIA"',
    } | changes
    return "[[word]]\n" + "".join(f"{name} = {text}\n" for name, text in fields.items() if text)


def load(directory: Path, *texts: str, name: str = "hours.toml") -> rulebook.Rulebook:
    (directory / name).write_text("\n".join(texts))
    return rulebook.load(directory)


def test_the_shipped_values() -> None:
    assert rulebook.value("conversation.reply_window_days", TODAY) == 30
    assert rulebook.value("confirmation.within_seconds", TODAY) == 300


def test_every_shipped_rule_is_in_force_today_and_says_where_it_comes_from() -> None:
    assert rulebook.all_rules()
    for rule in rulebook.all_rules():
        assert rulebook.rule(rule.id, TODAY) == rule
        assert len(rule.citation) > 5
        assert rule.jurisdiction == "project" or rule.jurisdiction.startswith(("US", "CA"))


def test_the_shipped_book_is_read_once() -> None:
    assert rulebook.current() is rulebook.current()
    assert rulebook.version() == rulebook.load(rulebook.RULES).version


def test_an_unknown_rule_is_named_with_those_that_exist() -> None:
    with pytest.raises(rulebook.UnknownRule, match=r"hours\.close.*confirmation\.within_seconds"):
        rulebook.value("hours.close", TODAY)


def test_no_rule_applies_before_it_was_made() -> None:
    with pytest.raises(rulebook.NoRuleInForce, match=r"confirmation\.within_seconds.*2024-04-03"):
        rulebook.rule("confirmation.within_seconds", date(2024, 4, 3))
    assert rulebook.rule("confirmation.within_seconds", date(2024, 4, 4)).value == 300


@given(st.integers(1, 400), st.integers(0, 3), st.integers(-30, 900))
def test_each_day_has_the_period_that_covers_it_and_no_other(length: int, gap: int, day: int) -> None:
    start = date(2024, 1, 1)
    last = start + timedelta(days=length)
    second = last + timedelta(days=1 + gap)
    book = rulebook.Rulebook({"a.b": (period(1, start, last), period(2, second, None))}, (), "")
    on = start + timedelta(days=day)
    if day < 0 or last < on < second:
        with pytest.raises(rulebook.NoRuleInForce):
            book.rule("a.b", on)
    else:
        assert book.rule("a.b", on).value == (1 if on <= last else 2)


def period(value: int, start: date, last: date | None) -> rulebook.Rule:
    return rulebook.Rule(
        id="a.b", value=value, effective_from=start, effective_to=last, jurisdiction="US", citation="test"
    )


def test_a_change_of_law_is_two_periods(tmp_path: Path) -> None:
    book = load(
        tmp_path,
        rule_text(effective_from="2026-01-01", value="9"),
        rule_text(effective_to="2025-12-31"),
    )
    assert book.rule("hours.open", date(2025, 12, 31)).value == 8
    assert book.rule("hours.open", date(2026, 1, 1)).value == 9


@pytest.mark.parametrize("effective_to", ["", "2026-01-01", "2027-01-01"])
def test_overlapping_periods_are_refused_by_file_and_id(tmp_path: Path, effective_to: str) -> None:
    with pytest.raises(rulebook.RulebookError, match=r"hours\.toml: rule hours\.open.*overlaps"):
        load(tmp_path, rule_text(effective_to=effective_to), rule_text(effective_from="2026-01-01"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (rule_text(citation=""), "hours.open.*citation"),
        (rule_text(citation='" "'), "hours.open: citation"),
        (rule_text(effective_from='"2024-01-01"'), "hours.open.*not a date"),
        (rule_text(effective_from="2024-01-01T00:00:00Z"), "hours.open.*not a date"),
        (rule_text(effective_to="2023-12-31"), "hours.open.*before"),
        (rule_text(value="[1]"), "hours.open: value"),
        (rule_text(vlaue="8"), "hours.open.*vlaue"),
        (rule_text(id='"other.open"'), "other.open must begin with “hours.”"),
        (rule_text(id=""), "id"),
        ("rule = 3", "“rule”"),
        ("[[rules]]\nid = 1", "“rules”"),
        ("[[rule]", "hours.toml"),
        (rule_text(effective_to="2024-12-31") + rule_text(value='"8"', effective_from="2025-01-01"), "different types"),
        (word_text(meaning='"halt"'), "STOP: meaning"),
        (word_text(word='"stop"'), "stop: word must be written in capitals"),
        (word_text() + word_text(), "STOP is listed twice"),
        (word_text(language=""), "STOP.*language"),
    ],
)
def test_a_file_with_a_mistake_is_refused_and_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(rulebook.RulebookError, match=rf"(?s)^hours\.toml.*{complaint}|^{complaint}"):
        load(tmp_path, text)


def test_a_file_that_is_not_utf_8_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "hours.toml").write_bytes(b"\xff")
    with pytest.raises(rulebook.RulebookError, match=r"^hours\.toml"):
        rulebook.load(tmp_path)


def test_the_version_changes_with_any_byte_and_with_the_name_of_a_file(tmp_path: Path) -> None:
    versions = [load(tmp_path, rule_text()).version]
    versions.append(load(tmp_path, rule_text(), "# a comment").version)
    versions.append(load(tmp_path, name="later.toml").version)
    (tmp_path / "later.toml").rename(tmp_path / "latest.toml")
    versions.append(rulebook.load(tmp_path).version)
    assert len(set(versions)) == 4
    assert all(len(version) == 12 for version in versions)


def test_other_files_are_no_rules(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("[[rule]")
    assert load(tmp_path, rule_text()).rule("hours.open", TODAY).value == 8


def test_the_version_changes_with_any_byte_of_the_tables_of_places(tmp_path: Path) -> None:
    shutil.copytree(rulebook.RULES, tmp_path / "rules")
    shutil.copytree(zones.DATA, tmp_path / "data")
    versions = [rulebook.load(tmp_path / "rules").version]
    assert versions == [rulebook.version()]
    for name in ("curated.toml", "zips.txt"):
        with (tmp_path / "data" / name).open("a") as table:
            table.write("\n")
        versions.append(rulebook.load(tmp_path / "rules").version)
    assert len(set(versions)) == 3
