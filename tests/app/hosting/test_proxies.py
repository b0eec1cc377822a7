"""The examples of docs/hosting, checked and run by the programs that they are for."""

import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.web.participant import Participant, recorded
from yoked.app.hosting.settings import read_settings

from .over_http import Client
from .proxies import EXAMPLES, FILES, PREFIX, Proxy, installed

HERE = Path(__file__).parent
SOMEBODY = ("127.0.0.2", 0)  # an address that is not the proxy's


@pytest.fixture(params=FILES)
def proxy(request, tmp_path):
    if not installed(request.param):
        pytest.skip(f"{request.param} is not installed here")
    folder = tmp_path / "proxy"
    folder.mkdir()
    return Proxy(request.param, folder)


def client_of(address: str) -> Client:
    """Return somebody at another address, who takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = Client(address, context)
    client.line.source_address = SOMEBODY
    return client


def test_the_example_is_what_the_program_takes(proxy):
    found = proxy.check(proxy.with_certificates(proxy.example()))
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_mistake_would_be_seen(proxy):
    assert proxy.check(proxy.example() + "\nnonsense {\n").returncode != 0


def test_somebody_takes_part_through_it_and_leaves_no_trace(proxy, serve):
    server = serve("--prefix", PREFIX, "--trusted-proxies", "127.0.0.1")
    proxy.behind = server.port
    with proxy.running() as address:
        client = client_of(address)
        participant = Participant(client, PREFIX)
        following = participant.next()
        for _ in range(3):
            following = participant.respond(following).json["next"]
        assert client.get(PREFIX + "healthz").text == "ok\n"
        reply = client.get(PREFIX.rstrip("/"))
        assert (reply.status_code, reply.location.endswith(PREFIX)) == (308, True)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        client.line.timeout = 60
        assert client.get(f"{participant.base}/next?x=secret").status_code in (502, 503)
        client.close()
    assert len(recorded(server.db_path)) == 3
    logged = proxy.logged()
    for secret in (participant.token, SOMEBODY[0], "secret"):
        assert secret not in logged, logged


def test_what_it_says_is_believed_and_what_others_say_in_its_place_is_not(proxy):
    command = [sys.executable, HERE / "seen.py", PREFIX]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        direct = process.stdout.readline().strip()
        proxy.behind = int(direct.split(":")[2].split("/")[0])
        with proxy.running() as address:
            client = client_of(address)
            client.headers = {
                "X-Forwarded-For": "203.0.113.9",
                "X-Forwarded-Host": "evil.example",
                "X-Forwarded-Proto": "gopher",
            }
            found = client.get(PREFIX + "seen").json
            client.close()
            assert found == {"client": SOMEBODY[0], "url": f"{address}seen"}
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd")
def test_the_unit_is_what_systemd_takes(tmp_path):
    text = (EXAMPLES / "yoked.service").read_text()
    assert "/opt/yoked/bin/yoked serve" in text
    unit = tmp_path / "yoked.service"
    unit.write_text(text.replace("/opt/yoked/bin/yoked", "/bin/true"))
    found = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60
    )
    said = [line for line in found.stderr.splitlines() if "yoked.service" in line]
    assert (found.returncode, said) == (0, [])


def test_the_settings_are_what_the_server_takes():
    below = read_settings({}, EXAMPLES / "server.toml", {})
    assert (below.root, below.port) == (PREFIX, 8000)
    assert [str(each) for each in below.trusted_proxies] == ["127.0.0.1/32", "::1/128"]
    at_root = read_settings({}, EXAMPLES / "server-at-the-root.toml", {})
    assert (at_root.root, at_root.port) == ("/", 8001)
