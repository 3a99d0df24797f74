"""How far a "no" reaches under the law of three days."""

from datetime import date

import pytest

from consent import rulebook, scoping
from consent.purposes import Category

TODAY = date(2026, 11, 23)
# What the two values would say under each order; the third is what ships.
ORDERS = {
    "FCC 24-24: marketing is apart": {"promotional": "category", "informational": "all"},
    "FCC 26-67: each category is apart": {"promotional": "category", "informational": "category"},
    "strictest": {"promotional": "all", "informational": "all"},
}


def book(tmp_path, values):
    rules = [
        f'[[rule]]\nid = "revocation.scope_of_{name}"\nvalue = "{value}"\neffective_from = 2025-04-11\n'
        f'jurisdiction = "US"\ncitation = "a test of one of three days"\n'
        for name, value in values.items()
    ]
    (tmp_path / "revocation.toml").write_text("\n".join(rules))
    return rulebook.load(tmp_path)


@pytest.mark.parametrize("order", ORDERS)
def test_row_9_three_dated_policies_give_three_outcomes(order, tmp_path, monkeypatch):
    law = book(tmp_path, ORDERS[order])
    monkeypatch.setattr(rulebook, "current", lambda: law)
    for category in (Category.PROMOTIONAL, Category.INFORMATIONAL):
        narrow = ORDERS[order][category] == "category"
        assert scoping.scope(category, TODAY) == (category if narrow else None)
    assert scoping.scope(None, TODAY) is None
    assert scoping.scope(Category.CONVERSATIONAL, TODAY) is None
    assert scoping.may_be_narrow(TODAY) == (order != "strictest")


def test_row_9_what_ships_is_the_strictest():
    assert not scoping.may_be_narrow(TODAY)


# --- row 5: an exclusive method ------------------------------------------------------------------------------

ONLY_STOP = [
    "I agree to get texts. The only way to end them is to reply STOP.",
    "You can opt out only by replying STOP to any text. Msg & data rates may apply.",
    "Acepto recibir mensajes. Puede darse de baja únicamente respondiendo STOP.",
    "J’accepte de recevoir des messages. Le seul moyen d’y mettre fin : répondre ARRÊT.",
]
OTHER_WAYS = [
    "",
    "I agree to get texts. Reply STOP to opt out.",
    "We text only reminders; reply STOP to opt out.",
    "The only way to get help is to call. Reply STOP to opt out.",
    "Only by texting JOIN do you agree. Reply STOP to end.",
]


@pytest.mark.parametrize("wording", ONLY_STOP)
def test_row_5_a_wording_that_names_one_way_is_known_in_each_language(wording):
    assert scoping.presents_the_only_way(wording)


@pytest.mark.parametrize("wording", OTHER_WAYS)
def test_row_5_a_wording_that_merely_mentions_stop_names_no_only_way(wording):
    assert not scoping.presents_the_only_way(wording)


@pytest.mark.parametrize(
    ("law", "wordings", "is_in_question"),
    [
        (True, ONLY_STOP[:1], True),
        (True, ONLY_STOP[:2], True),
        (True, [ONLY_STOP[0], OTHER_WAYS[1]], False),  # who agreed to the other may say it in any words
        (True, OTHER_WAYS[1:2], False),
        (True, [], False),
        (False, ONLY_STOP[:1], False),
    ],
)
def test_row_5_free_text_is_in_question_only_by_law_and_by_every_wording(law, wordings, is_in_question, monkeypatch):
    monkeypatch.setattr(scoping, "may_designate", lambda on: law)
    assert scoping.is_in_question(wordings, TODAY) == is_in_question


def test_row_5_what_ships_designates_nothing_on_any_day():
    assert not any(rule.value for rule in rulebook.current().periods["revocation.exclusive_method"])
