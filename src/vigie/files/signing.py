"""Signs PDF with the city's key: a PKCS#12 file, or one of the installation's own, made once.

pyHanko and its cryptography are imported only where a document is signed.
"""

import datetime
import io
from pathlib import Path

from vigie.core import clock
from vigie.core.engines import ensure_secret, write_secret
from vigie.core.errors import SetupError
from vigie.core.settings import Settings

KEY = "files-signing.p12"


def sign(document: bytes, settings: Settings, reason: str) -> bytes:
    """The document with a signature (PAdES). Blocks. Raises SetupError for a key that is no use."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigSeedSubFilter

    path, password = _key(settings)
    signer = signers.SimpleSigner.load_pkcs12(str(path), passphrase=password)
    if signer is None:
        raise SetupError(
            f"{path} is no PKCS#12 file that can be opened: see VIGIE_FILES_SIGN_PKCS12 and "
            "VIGIE_FILES_SIGN_PASSWORD."
        )
    out = io.BytesIO()
    signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(document)),
        signers.PdfSignatureMetadata(
            field_name="Vigie", reason=reason, subfilter=SigSeedSubFilter.PADES
        ),
        signer=signer,
        output=out,
    )
    return out.getvalue()


def certificate(settings: Settings) -> bytes:
    """The signer's certificate (DER), for those who check documents."""
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

    path, password = _key(settings)
    found = pkcs12.load_key_and_certificates(path.read_bytes(), password)[1]
    if found is None:
        raise SetupError(f"{path} holds no certificate.")
    return found.public_bytes(Encoding.DER)


def _key(settings: Settings) -> tuple[Path, bytes | None]:
    if settings.files_sign_pkcs12:
        password = settings.files_sign_password
        return Path(settings.files_sign_pkcs12), password.encode() or None
    folder = settings.root / "secrets"
    password = ensure_secret(folder, "files-signing-password").encode()
    path = folder / KEY
    if not path.exists():
        write_secret(path, _made(password))
    return path, password


def _made(password: bytes) -> bytes:
    """A key and a certificate that it signs itself, for ten years."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Vigie")])
    now = clock.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    return pkcs12.serialize_key_and_certificates(
        b"vigie", key, made, None, BestAvailableEncryption(password)
    )
