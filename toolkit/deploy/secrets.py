"""Secrets of the embedded engine's state: encrypted on disk as Pulumi's passphrase provider does it.

The format is Pulumi's own (`sdk/go/common/resource/config/crypt.go` and `pkg/secrets/passphrase` in
github.com/pulumi/pulumi): AES-256-GCM under a key that PBKDF2-HMAC-SHA256 makes of a passphrase and a
salt, so that the real engine can read the state with the same passphrase. The passphrase is a random one
in a file beside the state that only its owner can read.
"""

import base64
import json
import os
import secrets
from functools import cached_property
from hashlib import pbkdf2_hmac
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from toolkit.deploy.wire import SECRET, SIGNATURE
from toolkit.errors import DeployFailed

ITERATIONS = 1_000_000
PROBE = b"pulumi"


class Vault:
    """Encrypts and decrypts the secrets of one stack. The key is derived on first use, in about 0.3 s.

    `salt_state` is the salt as a state has it; without one, a new salt is made. Raises `DeployFailed` for one
    that is damaged.
    """

    def __init__(self, passphrase_file: Path, salt_state: str = "") -> None:
        self._file = passphrase_file
        self._salt = _salt_of(salt_state) if salt_state else os.urandom(8)

    @property
    def provider(self) -> dict[str, Any]:
        """The entry `secrets_providers` of the deployment, by which Pulumi recognises the passphrase."""
        salt = base64.b64encode(self._salt).decode()
        return {"type": "passphrase", "state": {"salt": f"v1:{salt}:{self._seal(PROBE)}"}}

    def hide(self, data: Any) -> Any:
        """The data with every secret value encrypted."""
        if isinstance(data, list):
            return [self.hide(item) for item in data]
        if not isinstance(data, dict):
            return data
        if data.get(SIGNATURE) == SECRET and "value" in data:
            return {SIGNATURE: SECRET, "ciphertext": self._seal(json.dumps(data["value"]).encode())}
        return {key: self.hide(item) for key, item in data.items()}

    def open(self, data: Any) -> Any:
        """The data with every secret value decrypted.

        Raises `DeployFailed` with the wrong passphrase, without one, and for a secret that is damaged.
        """
        if isinstance(data, list):
            return [self.open(item) for item in data]
        if not isinstance(data, dict):
            return data
        if data.get(SIGNATURE) == SECRET and "ciphertext" in data:
            return {SIGNATURE: SECRET, "value": self._unseal(data["ciphertext"])}
        return {key: self.open(item) for key, item in data.items()}

    @cached_property
    def _cipher(self) -> AESGCM:
        if not self._file.exists():
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(32))
        passphrase = self._file.read_bytes()
        return AESGCM(pbkdf2_hmac("sha256", passphrase, self._salt, ITERATIONS, 32))

    def _seal(self, plain: bytes) -> str:
        nonce = os.urandom(12)
        sealed = self._cipher.encrypt(nonce, plain, None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

    def _unseal(self, text: Any) -> Any:
        if not self._file.exists():  # a new one would open nothing
            raise DeployFailed(
                "the secrets of the state cannot be decrypted: their passphrase is not there",
                f"it belongs into {self._file}",
            )
        try:
            _, nonce, sealed = str(text).split(":")
            return json.loads(self._cipher.decrypt(_decoded(nonce), _decoded(sealed), None))
        except (ValueError, InvalidTag) as error:
            raise DeployFailed(
                "a secret of the state cannot be decrypted: it is damaged, or the passphrase is another one",
                f"the passphrase belongs into {self._file}; if it is there, take the state of a backup",
            ) from error


def _salt_of(text: Any) -> bytes:
    """The salt in Pulumi's `v1:SALT:v1:NONCE:PROBE`."""
    try:
        version, salt = str(text).split(":")[:2]
        if version != "v1" or not (decoded := _decoded(salt)):
            raise ValueError(version)
    except ValueError as damaged:
        raise DeployFailed(
            "the secrets of the state cannot be decrypted: their salt (secrets_providers) is damaged",
            "take the state of a backup, or export it again",
        ) from damaged
    return decoded


def _decoded(text: str) -> bytes:
    """Base64, strictly; raises ValueError for anything else."""
    return base64.b64decode(text, validate=True)


def mark(value: Any) -> dict[str, Any]:
    """A value marked as secret, as it is kept in memory."""
    return {SIGNATURE: SECRET, "value": value}


def reveal(data: Any) -> Any:
    """The data without the marks, as a provider takes it."""
    if isinstance(data, list):
        return [reveal(item) for item in data]
    if not isinstance(data, dict):
        return data
    if data.get(SIGNATURE) == SECRET:
        return reveal(data.get("value"))
    return {key: reveal(item) for key, item in data.items()}


def mark_keys(data: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    """The data with these properties marked as secret."""
    return {key: mark(value) if key in keys else value for key, value in data.items()}
