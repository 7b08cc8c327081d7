"""A publisher on loopback, over TLS with a certificate of its own: a registry of images, and files."""

import datetime
import hashlib
import ipaddress
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
TOKEN = "letters.for-anyone"


def index(*platforms: str, kind: str = OCI_INDEX) -> bytes:
    """An index for platforms such as `linux/arm64`, with an attestation as buildx adds it."""
    listed = [one.split("/") for one in (*platforms, "unknown/unknown")]
    entries = [{"digest": "sha256:00", "platform": {"os": o, "architecture": a}} for o, a in listed]
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode()


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Publisher:
    """What it serves by path, and what it was asked. Manifests need a token, as at public registries."""

    def __init__(self) -> None:
        self.host = ""
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.headers: dict[str, str] = {}  # of manifests
        self.challenge = 'Bearer realm="https://{host}/token/",service="public.test",scope="aws"'
        self.token: dict[str, Any] = {"token": TOKEN}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def image(self, name: str, tag: str, content: bytes) -> str:
        """Publish an index; returns its digest."""
        self.files[f"/v2/{name}/manifests/{tag}"] = content
        return digest_of(content)

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def answer(self, path: str, given: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((path, given))
        address = urlsplit(path)
        if address.path in self.redirects:
            return 302, {"Location": self.redirects[address.path]}, b""
        if address.path == "/token/":
            assert parse_qs(address.query)["service"] == ["public.test"]
            return 200, {}, json.dumps(self.token).encode()
        if address.path.startswith("/v2/") and given.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"WWW-Authenticate": self.challenge.format(host=self.host)}, b"{}"
        if address.path not in self.files:
            return 404, {}, b""
        content = self.files[address.path]
        if not address.path.startswith("/v2/"):
            return 200, {}, content
        return 200, {"Docker-Content-Digest": digest_of(content), **self.headers}, content


@contextmanager
def publishing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """A running publisher whose certificate this process trusts, as the only one."""
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = publisher.answer(
                self.path, {name.lower(): value for name, value in self.headers.items()}
            )
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    certificate = _certificate(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    publisher.host = f"127.0.0.1:{server.server_port}"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "publisher.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
