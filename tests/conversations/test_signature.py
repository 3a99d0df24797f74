import base64
import hashlib
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from conversations.carriers import signature
from conversations.carriers.signature import Outcome, Problem, Verdict
from tests.conversations import signing

NOW = 1_795_000_000.5
SECRET = "a signature secret of more than thirty-two bytes"
API_KEY = "a1b2c3d"
APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
RAW = json.dumps({"text": "Señor 😀 ça?", "to": "12015550100"}, ensure_ascii=False).encode()
GOOD = Verdict(Outcome.OK, None, well_formed=True, secret_index=0)


def signed(**changes: Any) -> str:
    given = {"raw": RAW, "secret": SECRET, "api_key": API_KEY, "application_id": APPLICATION, "now": NOW}
    return signing.sign(**(given | changes))


def claims(**changes: Any) -> dict[str, Any]:
    payload = signed(**changes).split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))


def verify(authorization: str | None, **changes: Any) -> Verdict:
    given = {"raw": RAW, "secrets": [SECRET], "now": NOW, "api_key": API_KEY, "application_id": APPLICATION}
    return signature.verify(authorization=authorization, **(given | changes))


def refused(problem: Problem, *, index: int | None = 0) -> Verdict:
    return Verdict(Outcome.REFUSED, problem, well_formed=True, secret_index=index)


MALFORMED = Verdict(Outcome.REFUSED, Problem.MALFORMED, well_formed=False)


@pytest.mark.parametrize(
    "raw", [RAW, b"", b"{}", b"\xff\x00 not text", b"x" * 100_000], ids=lambda raw: ascii(raw[:12])
)
def test_a_signed_body_of_any_bytes_is_accepted(raw: bytes) -> None:
    assert verify(signed(raw=raw), raw=raw) == GOOD


def test_a_token_made_by_another_library_is_accepted() -> None:
    assert verify("Bearer " + jwt.encode(claims(), SECRET, algorithm="HS256")) == GOOD


def test_the_published_sample_of_the_claims_is_accepted() -> None:
    raw = b"hello"
    sample = {
        "iat": 1587494962,
        "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        "iss": "Vonage",
        "payload_hash": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "api_key": "a1b2c3d",
        "application_id": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    }
    assert verify("Bearer " + signing.token(json.dumps(sample), SECRET), raw=raw, now=1587494963) == GOOD


@pytest.mark.parametrize("authorization", [None, "", " ", "Bearer", "Bearer ", "Basic YTpi", "Token abc"])
def test_without_a_bearer_token_the_signature_is_missing(authorization: str | None) -> None:
    assert verify(authorization) == Verdict(Outcome.MISSING)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", " Bearer", "Bearer "])
def test_the_name_of_the_scheme_is_read_in_any_case(scheme: str) -> None:
    assert verify(signed().replace("Bearer", scheme)) == GOOD


def test_a_wrong_secret_is_ours_to_check() -> None:
    assert verify(signed(secret="another secret that is long enough, surely")) == refused(Problem.SECRET, index=None)


def test_of_two_secrets_either_verifies_and_is_told() -> None:
    for place, secret in enumerate(["the old one", SECRET]):
        verdict = verify(signed(secret=secret), secrets=["the old one", SECRET])
        assert verdict == Verdict(Outcome.OK, None, well_formed=True, secret_index=place)


@pytest.mark.parametrize("secret", ["s", "short", "çé😀"])
def test_a_short_secret_verifies_without_a_warning(secret: str) -> None:
    assert verify(signed(secret=secret), secrets=[secret]) == GOOD
    assert verify(signed(), secrets=[secret]).problem == Problem.SECRET


@pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
def test_without_a_secret_there_is_no_verdict(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="VONAGE_SIGNATURE_SECRET"):
        verify(signed(secret=""), secrets=secrets)


def test_an_empty_secret_verifies_nothing() -> None:
    assert verify(signed(secret=""), secrets=["", SECRET]) == refused(Problem.SECRET, index=None)


def test_a_key_put_where_the_secret_belongs_is_a_wrong_secret() -> None:
    assert verify(signed(), secrets=[public_key()]).problem == Problem.SECRET


@given(st.binary())
def test_a_changed_body_is_refused(raw: bytes) -> None:
    if raw != RAW:
        assert verify(signed(), raw=raw) == refused(Problem.BODY)


def test_a_body_serialised_anew_is_refused() -> None:
    assert verify(signed(), raw=json.dumps(json.loads(RAW)).encode()) == refused(Problem.BODY)


def test_a_hash_in_capitals_is_the_same_hash() -> None:
    assert verify(signed(payload_hash=hashlib.sha256(RAW).hexdigest().upper())) == GOOD


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"iss": "vonage"}, Problem.ISSUER),
        ({"iss": ""}, Problem.ISSUER),
        ({"api_key": "other"}, Problem.API_KEY),
        ({"application_id": "other"}, Problem.APPLICATION),
        ({"application_id": 7}, Problem.APPLICATION),
        ({"payload_hash": "0" * 64}, Problem.BODY),
    ],
)
def test_a_claim_that_is_not_ours_is_refused_and_named(changes: dict[str, Any], problem: Problem) -> None:
    assert verify(signed(**changes)) == refused(problem)


def test_what_we_do_not_know_of_ourselves_is_not_compared() -> None:
    assert verify(signed(api_key="other", application_id="other"), api_key=None, application_id=None) == GOOD


def test_a_token_that_names_no_application_is_accepted() -> None:
    assert verify(signed(application_id=None)) == GOOD


@pytest.mark.parametrize(
    ("issued_at", "problem"),
    [
        (NOW - 86400, None),
        (NOW - 86401, Problem.OLD),
        (NOW + 300, None),
        (NOW + 301, Problem.FUTURE),
        (int(NOW) + 2, None),
        (0, Problem.OLD),
        (-1e300, Problem.OLD),
        (10**400, Problem.FUTURE),
        (float("inf"), Problem.FUTURE),
        (float("-inf"), Problem.OLD),
    ],
)
def test_age_is_judged_to_the_second(issued_at: float, problem: Problem | None) -> None:
    assert verify(signed(iat=issued_at)) == (refused(problem) if problem else GOOD)


def test_the_window_is_the_callers_to_choose() -> None:
    assert verify(signed(), now=NOW + 61, max_age=60) == refused(Problem.OLD)
    assert verify(signed(), now=NOW - 31, skew=30) == refused(Problem.FUTURE)


@pytest.mark.parametrize("name", ["iat", "iss", "payload_hash", "api_key"])
def test_a_token_without_one_of_the_claims_is_malformed(name: str) -> None:
    assert verify(signed(**{name: None})) == MALFORMED


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": str(int(NOW))},
        {"iat": True},
        {"iat": float("nan")},
        {"iat": [NOW]},
        {"iss": 1},
        {"api_key": 1},
        {"payload_hash": 1},
        {"payload_hash": "é" * 64},
        {"payload_hash": "0" * 63},
        {"payload_hash": "0" * 64 + "\n"},
    ],
    ids=ascii,
)
def test_a_claim_of_the_wrong_type_is_malformed(changes: dict[str, Any]) -> None:
    assert verify(signed(**changes)) == MALFORMED


@pytest.mark.parametrize("name", ["payload_hash", "iat", "api_key", "iss", "jti"])
def test_a_claim_given_twice_is_malformed(name: str) -> None:
    payload = json.dumps(claims())
    again = json.dumps({name: claims()[name]})
    assert verify("Bearer " + signing.token(payload[:-1] + "," + again[1:], SECRET)) == MALFORMED


@pytest.mark.parametrize(
    ("header", "digest"),
    [
        ('{"alg":"none"}', "sha256"),
        ('{"alg":"None"}', "sha256"),
        ('{"alg":"HS512"}', "sha512"),
        ('{"alg":"HS384"}', "sha384"),
        ('{"alg":"hs256"}', "sha256"),
        ('{"alg":["HS256"]}', "sha256"),
        ('{"alg":null}', "sha256"),
        ("{}", "sha256"),
        ("[]", "sha256"),
        ('{"alg":"HS256","crit":["exp"]}', "sha256"),
        ('{"alg":"HS256","b64":false,"crit":["b64"]}', "sha256"),
    ],
)
def test_another_algorithm_is_malformed_even_if_rightly_signed(header: str, digest: str) -> None:
    assert verify("Bearer " + signing.token(json.dumps(claims()), SECRET, header=header, digest=digest)) == MALFORMED


def test_an_unsigned_token_is_refused() -> None:
    unsigned = jwt.encode(claims(), None, algorithm="none")
    assert verify("Bearer " + unsigned) == MALFORMED
    stripped = signed().rpartition(".")[0] + "."
    assert verify(stripped) == refused(Problem.SECRET, index=None)


def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def public_key() -> str:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return private_key().public_key().public_bytes(serialization.Encoding.PEM, spki).decode()


def test_a_token_signed_with_a_private_key_is_refused() -> None:
    assert verify("Bearer " + jwt.encode(claims(), private_key(), algorithm="RS256")) == MALFORMED


def test_a_public_key_used_as_a_secret_verifies_nothing() -> None:
    key = public_key()
    assert verify(signed(secret=key), secrets=[key]).outcome == Outcome.REFUSED


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "a.b.c",
        "..",
        "é.é.é",
        "\ud800",
        "a b c",
        signing.token("not json", SECRET),
        signing.token("[]", SECRET),
        signing.token("null", SECRET),
        signing.token('"Vonage"', SECRET),
        signing.token("[" * 5000, SECRET),
        signing.token('{"iat":' + "9" * 5000 + "}", SECRET),
        signing.token("{}", SECRET, header="[" * 5000),
    ],
    ids=lambda token: ascii(token[:12]),
)
def test_garbage_is_malformed_and_never_an_error(token: str) -> None:
    assert verify("Bearer " + token) == MALFORMED


@given(st.text())
def test_no_header_is_an_error(text: str) -> None:
    assert verify(text).outcome == Outcome.MISSING
    assert verify("Bearer " + text).outcome != Outcome.OK


@given(st.integers(0), st.characters(codec="ascii"))
def test_no_change_of_one_character_is_accepted_as_another_token(place: int, char: str) -> None:
    header = signed()
    place = len("Bearer ") + place % (len(header) - len("Bearer "))
    changed = header[:place] + char + header[place + 1 :]
    if verify(changed).outcome == Outcome.OK:
        # The last character of base64 has bits that no byte uses.
        assert changed[:-1] == header[:-1]


def test_a_problem_reads_as_a_sentence_for_the_operator() -> None:
    assert f"{verify(signed(), raw=b'').problem}" == "body does not match payload_hash"
    assert Outcome.REFUSED == "refused"
