"""A deployment with TLS: a trusted certificate, and one that is not."""

import http.server
import ipaddress
import json
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.cli import main

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Write a self-signed certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=now - HOUR,
        not_valid_after=now + HOUR,
    ).add_extension(here, critical=False)
    path = tmp_path_factory.mktemp("tls") / "here.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return path


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response_only(200)
        self.end_headers()
        self.wfile.write(b'{"status":"ok"}')

    def log_message(self, *_):
        """Log nothing."""


@pytest.fixture
def url(certificate):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as server:
        server.handle_error = lambda *_: (
            None
        )  # the doctor closes the connection if it does not trust it
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def checked(url, trusted):
    env = {"ANTIPHON_KEY": "sk-acme-0123456789", "SSL_CERT_FILE": trusted}
    result = CliRunner().invoke(main, ["doctor", url, "--free", "--json"], env=env)
    return {row["check"]: row for row in json.loads(result.stdout)["urls"][0]["checks"]}


def test_tls_version_and_certificate_are_reported(url, certificate):
    rows = checked(url, str(certificate))
    assert (rows["reach"]["verdict"], rows["health"]["verdict"]) == ("ok", "ok")
    assert rows["reach"]["seen"].startswith("TLSv1.3, a certificate until ")


def test_untrusted_certificate_stops_the_run_before_a_key_is_sent(url):
    rows = checked(url, None)
    assert rows["reach"]["verdict"] == "fails"
    assert "SSL_CERT_FILE" in rows["reach"]["advice"]
    assert {row["verdict"] for row in rows.values()} == {"fails", "skipped"}
