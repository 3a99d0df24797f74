"""Runs a command with everything that a production installation must set: `python -m tests.production COMMAND…`."""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def environment(var_dir: Path) -> dict[str, str]:
    """The variables, with secrets made for the occasion; the carrier's key is written to ``var_dir``."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (var_dir / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return {
        "VAR_DIR": str(var_dir),
        "PUBLIC_URL": "https://texts.example.com",
        "ALLOWED_HOSTS": "texts.example.com",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "PHONE_HASH_KEY": secrets.token_urlsafe(60),
        "DATABASE_URL": "postgresql://app:secret@db.example.com/contactcenter",
        "REDIS_URL": "redis://cache.example.com:6379/0",
        "EMAIL_URL": "consolemail://",
        "VONAGE_APPLICATION_ID": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "VONAGE_PRIVATE_KEY_FILE": str(var_dir / "key.pem"),
        "VONAGE_API_KEY": "abcd1234",
        "VONAGE_SIGNATURE_SECRET": ",".join(secrets.token_hex(32) for _ in range(2)),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as var_dir:
        sys.exit(subprocess.run(sys.argv[1:], env=os.environ | environment(Path(var_dir)), check=False).returncode)
