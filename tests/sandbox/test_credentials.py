"""The sandbox's account: made once, kept, and repaired when a part is missing."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509

from sandbox import credentials


def environment(var: Path) -> dict[str, str]:
    return credentials.environment(var, tls_port=8443, http_port=8444)


def test_the_account_is_made_once_and_kept(tmp_path: Path):
    first = environment(tmp_path)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "sandbox").iterdir()}

    assert environment(tmp_path) == first
    assert {path.name: path.read_bytes() for path in (tmp_path / "sandbox").iterdir()} == kept
    assert first["VONAGE_API_HOST"] == "127.0.0.1:8443"
    assert len(first["VONAGE_SIGNATURE_SECRET"]) >= 32


def test_processes_that_start_at_once_agree_on_one_account(tmp_path: Path):
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(environment, [tmp_path] * 4))

    assert all(item == made[0] for item in made)


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path):
    environment(tmp_path)

    for name in ("account.json", "private.pem", "ca.json", "server.pem"):
        assert stat.S_IMODE((tmp_path / "sandbox" / name).stat().st_mode) == 0o600


def test_a_server_certificate_near_its_end_is_issued_again_by_the_same_authority(tmp_path: Path):
    environment(tmp_path)
    files = credentials.prepare(tmp_path)
    authority, key = files.authority.read_bytes(), files.private_key.read_bytes()
    soon = datetime.now(UTC) + timedelta(days=3)
    ending = trustme.CA().issue_cert("127.0.0.1", not_after=soon).private_key_and_cert_chain_pem.bytes()
    files.server.write_bytes(ending)

    credentials.prepare(tmp_path)

    issued = x509.load_pem_x509_certificates(files.server.read_bytes())[0]
    assert issued.not_valid_after_utc > datetime.now(UTC) + timedelta(days=300)
    assert (files.authority.read_bytes(), files.private_key.read_bytes()) == (authority, key)


def test_the_bundle_trusts_the_public_authorities_and_ours(tmp_path: Path):
    bundle = Path(environment(tmp_path)["REQUESTS_CA_BUNDLE"]).read_text()

    assert bundle.count("BEGIN CERTIFICATE") > 50
