"""The certificate and key of an engine: only those who have the key can give it work.

A Dask scheduler runs whatever it is sent, so it must know its clients. `python -m core.engine.keys
FOLDER` writes a pair for a cluster; a local engine writes its own whenever it starts.
"""

import datetime
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BadRequest

if TYPE_CHECKING:
    from distributed import Security

KEYS = "PRIORSCOPE_KEYS"
"""Names the folder with the certificate and key of a cluster."""
CERTIFICATE, KEY = "certificate.pem", "key.pem"
_NAME = "priorscope"
_YEARS = datetime.timedelta(days=3650)
_CLOCKS = datetime.timedelta(days=30)
"""By how much the clocks of two machines may differ."""


def make_keys(folder: Path) -> None:
    """Write a new certificate and its key into a folder that from then on only this account can open.

    Raises:
        OSError: the folder belongs to another account, or cannot be written.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(now + _YEARS)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    secret = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    _write(folder / KEY, secret)
    _write(folder / CERTIFICATE, certificate.public_bytes(form))


def security(folder: Path) -> "Security":
    """Return what scheduler, workers and clients that share a key need to talk to one another.

    Raises:
        BadRequest: the folder has no key that this account can read.
    """
    from distributed import Security

    certificate, key = str(folder / CERTIFICATE), str(folder / KEY)
    for path in (certificate, key):
        if not os.access(path, os.R_OK):
            raise BadRequest(
                f"{path} cannot be read, and without it no job can be given to that engine; use the account that "
                f"owns it, or make a pair of your own with `python -m core.engine.keys FOLDER`."
            )
    pairs = {
        f"tls_{role}_{what}": path
        for role in ("client", "scheduler", "worker")
        for what, path in (("cert", certificate), ("key", key))
    }
    return Security(require_encryption=True, tls_ca_file=certificate, **pairs)


def _write(path: Path, raw: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(raw)
    beside.replace(path)


def main() -> None:
    """Write a pair for a cluster into a folder."""
    folder = Path(sys.argv[1])
    make_keys(folder)
    sys.stdout.write(f"{folder / CERTIFICATE}\n{folder / KEY}\n")


if __name__ == "__main__":
    main()
