"""A client that speaks HTTP to a server, as Flask's speaks to an application."""

import http.client
import json
import ssl
from urllib.parse import urlencode, urlsplit


class Reply:
    """A reply that was read in full."""

    def __init__(self, reply: http.client.HTTPResponse) -> None:
        self.status_code = reply.status
        self.headers = reply.headers
        self.data = reply.read()

    def __enter__(self) -> "Reply":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def location(self) -> str | None:
        return self.headers["Location"]


class Client:
    """One connection to the server at an address; `headers` go with every request."""

    def __init__(self, address: str, context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(address)
        self.headers: dict[str, str] = {}
        if parts.scheme == "https":
            self.line = http.client.HTTPSConnection(
                parts.netloc, timeout=60, context=context
            )
        else:
            self.line = http.client.HTTPConnection(parts.netloc, timeout=60)

    def get(self, path: str) -> Reply:
        return self._ask("GET", path)

    def post(self, path: str, data: dict | None = None, json: dict | None = None):
        self.send_post(path, data, json)
        return self.reply()

    def send_post(self, path: str, data: dict | None = None, json_body=None) -> None:
        """Send a request, and do not wait for the reply."""
        kind, body = "application/json", json.dumps(json_body)
        if data is not None:
            kind, body = "application/x-www-form-urlencoded", urlencode(data)
        self.line.request(
            "POST", path, body=body, headers={**self.headers, "Content-Type": kind}
        )

    def reply(self) -> Reply:
        return Reply(self.line.getresponse())

    def _ask(self, method: str, path: str) -> Reply:
        self.line.request(method, path, headers=self.headers)
        return self.reply()

    def close(self) -> None:
        self.line.close()
