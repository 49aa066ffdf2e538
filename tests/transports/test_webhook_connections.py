"""Webhooks on the wire: the certificate is the name's, and no receiver can hold the sender up."""

import asyncio
import datetime as dt
import ssl
from types import SimpleNamespace

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.transports.signatures import SharedKey
from hub.transports.webhooks import Answer, Delivered, Retry, outcome_of

BODY = b'{"specversion":"1.0"}'
KEYS = [SharedKey(bytes(range(32)))]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nset-cookie: a=1\r\n\r\n"


@pytest.fixture
async def wire():
    """Starts servers that answer every request with the same bytes and keep what they saw."""
    servers = []

    async def serve(answer, *, tls=None, hang=False):
        seen = SimpleNamespace(requests=[], peers=set(), port=0)

        async def take(reader, writer):
            seen.peers.add(writer.get_extra_info("peername"))
            try:
                while head := await reader.readuntil(b"\r\n\r\n"):
                    await reader.readexactly(len(BODY))
                    seen.requests.append(head.decode().lower())
                    writer.write(answer)
                    await writer.drain()
                    if not hang:
                        continue
                    await reader.read()
            except (OSError, asyncio.IncompleteReadError):
                return
            finally:
                writer.close()

        server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        seen.port = server.sockets[0].getsockname()[1]
        return seen

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A server's TLS whose certificate is trusted and names ``receiver.example``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("receiver.example")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    crt, pem = tmp_path / "crt", tmp_path / "key"
    crt.write_bytes(made.public_bytes(Encoding.PEM))
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setattr(certifi, "where", lambda: str(crt))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(crt, pem)
    asked = []
    tls.sni_callback = lambda _socket, server, _context: asked.append(server)
    return tls, asked


async def test_the_name_and_not_the_address_stands_in_sni_certificate_and_host(
    sender, wire, certificate
):
    tls, asked = certificate
    seen = await wire(OK, tls=tls)
    answer = await sender.post(f"https://receiver.example:{seen.port}/a?t=1", "c-1", BODY, KEYS)
    assert outcome_of(answer, 1) == Delivered(200)
    assert asked == ["receiver.example"]
    assert seen.requests[0].startswith("post /a?t=1 http/1.1\r\n")
    assert f"\r\nhost: receiver.example:{seen.port}\r\n" in seen.requests[0]


async def test_a_certificate_of_another_name_is_refused_also_where_a_connection_is_open(
    sender, wire, certificate
):
    seen = await wire(OK, tls=certificate[0])
    await sender.post(f"https://receiver.example:{seen.port}/", "c-1", BODY, KEYS)
    answer = await sender.post(f"https://other.example:{seen.port}/", "c-1", BODY, KEYS)
    assert isinstance(outcome_of(answer, 1), Retry)
    assert len(seen.requests) == 1


async def test_neither_a_proxy_of_the_environment_nor_cookies_are_used(sender, wire, monkeypatch):
    seen, proxy = await wire(OK), await wire(OK)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    for _ in range(2):
        await sender.post(f"http://receiver.example:{seen.port}/", "c-1", BODY, KEYS)
    assert [len(seen.requests), len(proxy.requests), len(seen.peers)] == [2, 0, 1]
    assert not any("\r\ncookie:" in one for one in seen.requests)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_answer_is_tried_again(sender, wire, answer):
    seen = await wire(answer, hang=True)
    found = await sender.post(f"http://receiver.example:{seen.port}/", "c-1", BODY, KEYS)
    assert found.status == 0
    assert isinstance(outcome_of(found, 1), Retry)


@pytest.mark.parametrize(
    "body",
    [
        b"content-length: 9\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n5\r\nhallo\r\n",
        b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\nxxxx",
    ],
)
async def test_a_status_counts_whatever_the_body_does(sender, wire, body):
    seen = await wire(b"HTTP/1.1 200 OK\r\n" + body, hang=True)
    async with asyncio.timeout(8):
        found = await sender.post(f"http://receiver.example:{seen.port}/", "c-1", BODY, KEYS)
    assert outcome_of(found, 1) == Delivered(200)


async def test_the_words_of_a_status_line_are_cut_to_what_a_database_can_hold(sender, wire):
    words = b"\xff\xe5\x9b\xbe\x1b[31mno" + b"!" * 5000
    seen = await wire(b"HTTP/1.1 500 " + words + b"\r\ncontent-length: 0\r\n\r\n")
    found = await sender.post(f"http://receiver.example:{seen.port}/", "c-1", BODY, KEYS)
    assert found == Answer(500, ("[31mno" + "!" * 5000)[:100])
