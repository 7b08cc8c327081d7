"""A signed document: a payload in a DSSE envelope, signed by a key of KMS on NIST P-256.

The digests of the record (`toolkit.digest`) and the statements of runs (`toolkit.statement`) are such
documents, told apart by their payload's type. The format is a public one, so that others can check it too:
https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from toolkit.contracts import Shape

ALGORITHM = "ECDSA_SHA_256"
"""The signing algorithm of KMS for a key on NIST P-256:
https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html"""

Check = Callable[[bytes, bytes], bool]
"""Given the SHA-256 that was signed and the signature, says whether they belong together."""


class Signature(Shape, frozen=True):
    """A signature in base64, and the ARN of the key that is said to have made it."""

    keyid: str
    sig: str

    @property
    def content(self) -> bytes:
        """The signature's bytes. Raises ValueError where it is no base64."""
        return base64.b64decode(self.sig, validate=True)


class Envelope(msgspec.Struct, frozen=True):
    """A DSSE envelope; the payload is in base64."""

    payload: str
    payloadType: str  # noqa: N815 - the name in the standard
    signatures: list[Signature]

    @property
    def content(self) -> bytes:
        """The payload's bytes. Raises ValueError where it is no base64."""
        return base64.b64decode(self.payload, validate=True)


def to_sign(payload_type: str, payload: bytes) -> bytes:
    """The SHA-256 that is signed: of DSSE's pre-authentication encoding of type and payload."""
    head = f"DSSEv1 {len(payload_type)} {payload_type} {len(payload)} ".encode()
    return hashlib.sha256(head + payload).digest()


def seal(payload_type: str, payload: bytes, key_arn: str, signature: bytes) -> bytes:
    """The signed envelope as it is stored."""
    signed = Signature(keyid=key_arn, sig=base64.b64encode(signature).decode())
    return msgspec.json.encode(Envelope(base64.b64encode(payload).decode(), payload_type, [signed]))


def signature(kms: Any, key_arn: str, payload_type: str, payload: bytes) -> Signature:
    """Have KMS sign the payload. Raises what boto3 raises.

    Only the hash travels, so a payload may be of any size (KMS takes 4,096 bytes of a message).
    """
    signed = kms.sign(
        KeyId=key_arn,
        Message=to_sign(payload_type, payload),
        MessageType="DIGEST",
        SigningAlgorithm=ALGORITHM,
    )
    return Signature(keyid=signed["KeyId"], sig=base64.b64encode(signed["Signature"]).decode())


def signed_by(kms: Any, key_arn: str, payload_type: str, payload: bytes, signed: bytes) -> bool:
    """Whether KMS knows the signature as this key's. Raises what boto3 raises for anything else."""
    try:
        answer = kms.verify(
            KeyId=key_arn,
            Message=to_sign(payload_type, payload),
            MessageType="DIGEST",
            Signature=signed,
            SigningAlgorithm=ALGORITHM,
        )
    except kms.exceptions.KMSInvalidSignatureException:
        return False
    return bool(answer["SignatureValid"])


def sign(kms: Any, key_arn: str, payload_type: str, payload: bytes) -> bytes:
    """Have KMS sign the payload; returns the envelope. Raises what boto3 raises."""
    made = signature(kms, key_arn, payload_type, payload)
    return seal(payload_type, payload, made.keyid, made.content)


def read(body: bytes, payload_type: str, what: str) -> Envelope:
    """The envelope. The signature is not looked at; raises ValueError for anything that is no `what`."""
    envelope = msgspec.json.decode(body, type=Envelope)
    if envelope.payloadType != payload_type:
        raise ValueError(f"it holds {envelope.payloadType!r} and no {what}")
    return envelope


def with_public_key(key: bytes) -> Check:
    """Checks on this machine, by a public key as DER or PEM (SPKI). Raises ValueError for any other key."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    pem = key.lstrip().startswith(b"-----BEGIN")
    try:
        found = serialization.load_pem_public_key(key) if pem else serialization.load_der_public_key(key)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if not isinstance(found, ec.EllipticCurvePublicKey):
        raise ValueError("the key is none for ECDSA")
    algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))

    def check(digest: bytes, signature: bytes) -> bool:
        try:
            found.verify(signature, digest, algorithm)
        except InvalidSignature:
            return False
        return True

    return check


def to_pem(der: bytes) -> bytes:
    """A public key of KMS (DER, SPKI) as PEM, which other tools read. Raises ValueError for any other key."""
    from cryptography.hazmat.primitives import serialization

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return serialization.load_der_public_key(der).public_bytes(serialization.Encoding.PEM, form)
