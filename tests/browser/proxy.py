"""A TCP proxy between a browser and a server that breaks requests in turn."""

import random
import re
import socket
import threading
from collections import Counter

KINDS = (
    "cut before",  # the request never arrives
    "cut after",  # it arrives, and its reply is lost
    "cut within",  # the reply breaks off half-way
    "slow",  # the reply comes drop by drop
    "half-open",  # the server is gone, and nobody tells the client
    "500",  # something on the way replies in its place
    "silence",  # the request arrives, and nothing comes back
    "twice",  # it arrives twice at once
    "again later",  # it arrives once more, after the next one
    "changed",  # it arrives again with another response
)
_OF_RESPONSES = ("twice", "again later", "changed")
_OF_A_TRIAL = re.compile(rb"^(GET|POST) /session/[\w-]+/(next|display|trials)")
_FAULT = b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops"


class Proxy:
    """Forwards to a port; breaks requests of trials until the faults are used up.

    Parameters
    ----------
    port
        Of the server.
    n_faults
        How many are injected, each kind as often as the others.
    seed
        Of their order and of the requests that they meet.
    """

    def __init__(self, port: int, n_faults: int, seed: int) -> None:
        self._server_port = port
        self._rng = random.Random(seed)
        faults = [KINDS[i % len(KINDS)] for i in range(n_faults)]
        self._rng.shuffle(faults)
        self._faults = faults
        self._lock = threading.Lock()
        self._later: list[bytes] = []
        self.injected: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()  # of the server's own replies
        self.wrong: list[str] = []  # replies that a response sent again must not have
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def n_left(self) -> int:
        return len(self._faults)

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _ask(self, request: bytes, due: bytes) -> None:
        """Send a request by a connection of its own; its status must be what is due.

        A server that cannot store at the moment, or is not there, says nothing wrong.
        """
        try:
            with socket.create_connection(("127.0.0.1", self._server_port)) as line:
                line.sendall(request)
                status = _message(line)[9:12]
        except OSError:
            return
        if status not in (due, b"503", b""):
            self.wrong.append(f"{status.decode()} where {due.decode()} was due")

    def _fault(self, request: bytes) -> str | None:
        if not _OF_A_TRIAL.match(request):
            return None
        with self._lock:
            if not self._faults or self._rng.random() > 0.4:
                return None
            is_response = request.startswith(b"POST") and b"/trials/" in request[:200]
            for place in reversed(range(len(self._faults))):
                fault = self._faults[place]
                if is_response or fault not in _OF_RESPONSES:
                    del self._faults[place]
                    self.injected[fault] += 1
                    return fault
            return None

    def _serve(self, client: socket.socket) -> None:
        """Carry the requests of one connection, one after the other."""
        try:
            with (
                client,
                socket.create_connection(("127.0.0.1", self._server_port)) as server,
            ):
                while request := _message(client):
                    if not self._carry(request, client, server):
                        return
        except OSError:  # either is gone
            return

    def _carry(
        self, request: bytes, client: socket.socket, server: socket.socket
    ) -> bool:
        """Carry a request and its reply; False where the connection ends."""
        fault = self._fault(request)
        if fault == "cut before":
            return False
        if fault == "500":
            client.sendall(_FAULT)
            return False
        if fault == "half-open":
            return _wait_for_the_client(client)
        if fault == "twice":
            threading.Thread(target=self._ask, args=(request, b"200")).start()
        server.sendall(request)
        reply = _message(server)
        self.statuses[reply[9:12].decode()] += 1
        while self._later:
            self._ask(self._later.pop(), b"200")
        if fault == "again later" and reply[9:12] == b"200":
            self._later.append(request)
        if fault == "changed" and reply[9:12] == b"200":
            self._ask(_changed(request), b"409")
        if fault == "cut after" or not reply:
            return False
        if fault == "silence":
            return _wait_for_the_client(client)
        if fault == "cut within":
            client.sendall(reply[: len(reply) // 2])
            return False
        if fault == "slow":
            size = max(1, len(reply) // 40)
            for first in range(0, len(reply), size):
                client.sendall(reply[first : first + size])
                threading.Event().wait(0.01)
            return True
        client.sendall(reply)
        return True


def _changed(request: bytes) -> bytes:
    """Give a response with the other answer, of the same length."""
    found = re.search(rb'"response": ?([01])', request)
    assert found is not None
    place = found.start(1)
    other = b"1" if found[1] == b"0" else b"0"
    return request[:place] + other + request[place + 1 :]


def _wait_for_the_client(client: socket.socket) -> bool:
    """Say nothing until the client gives up."""
    while client.recv(65536):
        pass
    return False


def _message(line: socket.socket) -> bytes:
    """Read one whole request or reply; b"" where the connection ends."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = line.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    missing = (int(length[1]) if length else 0) - len(body)
    while missing > 0:
        part = line.recv(65536)
        if not part:
            return b""
        data += part
        missing -= len(part)
    return data
