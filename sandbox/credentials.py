"""The sandbox's account: application, keys, signature secret and certificate authority, made once and kept.

Everything lies in ``VAR_DIR/sandbox/``, readable by its owner only. Files appear by rename, so a crash leaves
either the old one or the new one; a lock keeps two processes that start at once from making two accounts.
"""

import fcntl
import json
import os
import secrets
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_SERVER_DAYS = 397  # what public authorities issue, so that nothing here is unlike production
_RENEW_DAYS = 30


@dataclass(frozen=True, slots=True)
class Account:
    """The three names under which the carrier knows us; the secret has 64 characters."""

    application_id: str
    api_key: str
    signature_secret: str


@dataclass(frozen=True, slots=True)
class Files:
    """Where the parts of the account are kept."""

    folder: Path

    @property
    def account(self) -> Path:
        return self.folder / "account.json"

    @property
    def private_key(self) -> Path:
        return self.folder / "private.pem"

    @property
    def authority(self) -> Path:
        return self.folder / "ca.json"

    @property
    def server(self) -> Path:
        return self.folder / "server.pem"

    @property
    def bundle(self) -> Path:
        return self.folder / "ca-bundle.pem"


def environment(var_dir: Path, *, tls_port: int, http_port: int) -> dict[str, str]:
    """Return the environment in which the product talks to the sandbox; makes what is missing.

    ``REQUESTS_CA_BUNDLE`` is certifi's bundle with our authority appended, so that a process with this
    environment can still reach every other host.
    """
    files = prepare(var_dir)
    account = load_account(files)
    return {
        "VONAGE_APPLICATION_ID": account.application_id,
        "VONAGE_PRIVATE_KEY_FILE": str(files.private_key),
        "VONAGE_API_KEY": account.api_key,
        "VONAGE_SIGNATURE_SECRET": account.signature_secret,
        "VONAGE_API_HOST": f"127.0.0.1:{tls_port}",
        "REQUESTS_CA_BUNDLE": str(files.bundle),
        "SANDBOX_URL": f"http://127.0.0.1:{http_port}",
    }


def prepare(var_dir: Path) -> Files:
    """Make what is missing of the account or about to expire; several processes may call it at once."""
    files = Files(var_dir.resolve() / "sandbox")
    files.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(files.folder / ".lock"):
        if not files.account.exists():
            made = Account(str(uuid.uuid4()), secrets.token_hex(4), secrets.token_hex(32))
            _write(files.account, json.dumps(asdict(made)).encode())
        if not files.private_key.exists():
            _write(files.private_key, _new_private_key())
        authority = _authority(files)
        if _expires_soon(files.server):
            until = datetime.now(UTC) + timedelta(days=_SERVER_DAYS)
            leaf = authority.issue_cert("127.0.0.1", "localhost", not_after=until)
            _write(files.server, leaf.private_key_and_cert_chain_pem.bytes())
        bundle = Path(certifi.where()).read_bytes() + b"\n" + authority.cert_pem.bytes()
        if not files.bundle.exists() or files.bundle.read_bytes() != bundle:
            _write(files.bundle, bundle)
    return files


def load_account(files: Files) -> Account:
    """Read the account that ``prepare`` made."""
    return Account(**json.loads(files.account.read_bytes()))


def load_public_key(files: Files) -> rsa.RSAPublicKey:
    """Return the key that checks the tokens of the product's API requests."""
    private = serialization.load_pem_private_key(files.private_key.read_bytes(), password=None)
    public = private.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError(f"{files.private_key} is not an RSA key; delete it and start again")
    return public


def _new_private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    # The SDK only knows a key by the words BEGIN PRIVATE KEY, which is PKCS#8.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _authority(files: Files) -> trustme.CA:
    if files.authority.exists():
        kept = json.loads(files.authority.read_bytes())
        if not _expires_within(kept["certificate"].encode(), _SERVER_DAYS):
            return trustme.CA.from_pem(kept["certificate"].encode(), kept["key"].encode())
    made = trustme.CA(organization_name="SMS contact center sandbox")
    parts = {"certificate": made.cert_pem.bytes().decode(), "key": made.private_key_pem.bytes().decode()}
    _write(files.authority, json.dumps(parts).encode())
    files.server.unlink(missing_ok=True)  # what the old authority signed is worth nothing now
    return made


def _expires_soon(certificate: Path) -> bool:
    return not certificate.exists() or _expires_within(certificate.read_bytes(), _RENEW_DAYS)


def _expires_within(pem: bytes, days: int) -> bool:
    first = x509.load_pem_x509_certificates(pem)[0]
    return first.not_valid_after_utc < datetime.now(UTC) + timedelta(days=days)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _write(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # 0600 from the start
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    Path(name).replace(path)
