"""Caddy, nginx and Apache, run with the examples of docs/hosting as they stand there.

Only names, ports and places are those of the test.
"""

import contextlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import ROOT

EXAMPLES = ROOT / "docs" / "hosting"
MODULES = Path("/usr/lib/apache2/modules")
PREFIX = "/psych/yoked/"
FILES = {"caddy": "Caddyfile", "nginx": "nginx.conf", "apache2": "apache.conf"}
NGINX = """daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    access_log {folder}/access.log;
    include {folder}/example.conf;
}}
"""
APACHE = """ServerRoot {folder}
ServerName 127.0.0.1
PidFile {folder}/apache.pid
Define APACHE_LOG_DIR {folder}
ErrorLog {folder}/apache-error.log
LogFormat "%h %r" combined
{modules}
User www-data
Group www-data
Listen 127.0.0.1:{port}
Include {folder}/example.conf
"""
_OF_APACHE = "mpm_event authz_core alias headers proxy proxy_http setenvif ssl"


@dataclass
class Proxy:
    """A proxy that can be run; its files, also its logs, are in a folder.

    Attributes
    ----------
    kind
        Its program: caddy, nginx or apache2.
    folder
        Where it has its files.
    port
        Where it listens.
    behind
        Port of the server behind it, below the prefix.
    """

    kind: str
    folder: Path
    port: int = 0
    behind: int = 8000

    def example(self) -> str:
        return (EXAMPLES / FILES[self.kind]).read_text(encoding="utf-8")

    def with_certificates(self, text: str) -> str:
        """Put a certificate of the test in the place of those of the example."""
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        if not key.exists():
            made = (
                "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
            )
            places = ["-keyout", str(key), "-out", str(certificate)]
            subprocess.run([*made.split(), *places], check=True, capture_output=True)
        text = re.sub(r"/etc/ssl/certs/\S+?\.pem", str(certificate), text)
        return re.sub(r"/etc/ssl/private/\S+?\.key", str(key), text)

    def check(self, text: str) -> subprocess.CompletedProcess:
        """Let the program say whether a configuration is right."""
        command = {
            "caddy": ["validate", "--adapter", "caddyfile", "--config"],
            "nginx": ["-t", "-e", str(self.folder / "first.log"), "-c"],
            "apache2": ["-t", "-f"],
        }[self.kind]
        return subprocess.run(
            [self._program, *command, str(self._write(text))],
            capture_output=True,
            text=True,
            timeout=60,
            env=self._environment,
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Run it in front of the server; give the address with the prefix."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        here = self._write(self._here())
        command = {
            "caddy": ["run", "--adapter", "caddyfile", "--config"],
            "nginx": ["-e", str(self.folder / "first.log"), "-c"],
            "apache2": ["-D", "FOREGROUND", "-f"],
        }[self.kind]
        with (self.folder / "output.log").open("w") as log:
            process = subprocess.Popen(
                [self._program, *command, str(here)],
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        try:
            self._wait_for(process)
            scheme = "https" if self.kind == "nginx" else "http"
            yield f"{scheme}://127.0.0.1:{self.port}{PREFIX}"
        finally:
            process.terminate()
            process.wait(30)

    def logged(self) -> str:
        """Return what it wrote down anywhere."""
        return "".join(log.read_text() for log in self.folder.rglob("*.log"))

    @property
    def _program(self) -> str:
        return shutil.which(self.kind, path="/usr/local/bin:/usr/bin:/usr/sbin") or ""

    @property
    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {"HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}

    def _here(self) -> str:
        """Return the example with ports of the test; nginx alone keeps its TLS."""
        text = self.example().replace(":8000", f":{self.behind}")
        if self.kind == "caddy":
            text = text.replace("lab.example.org {", f"http://127.0.0.1:{self.port} {{")
            text = text.replace("study.example.org {", "http://127.0.0.1:1 {")
            text = text[: text.index("# At the root")]
            return text.replace("{\n", "{\n\tadmin off\n", 1)
        if self.kind == "nginx":
            text = text.replace("listen 80;", "listen unix:/nowhere;")
            blocks = re.split(r"(?m)^(?=server \{|# )", text)
            text = "".join(
                block
                for block in blocks
                if "listen unix" not in block and "study.example.org;" not in block
            )
            text = text.replace("listen 443", f"listen 127.0.0.1:{self.port}")
            text = text.replace("/var/log/nginx/", f"{self.folder}/")
            return self.with_certificates(text)
        text = text[: text.index("# At the root")].replace("*:443", f"*:{self.port}")
        return re.sub(r"(?m)^ +SSL.*\n", "", text)

    def _write(self, text: str) -> Path:
        """Write a configuration, with what the system's own brings around it."""
        if self.kind == "caddy":
            path = self.folder / "Caddyfile"
            path.write_text(text)
            return path
        (self.folder / "example.conf").write_text(text)
        around = NGINX if self.kind == "nginx" else APACHE
        modules = "\n".join(
            f"LoadModule {name}_module {MODULES}/mod_{name}.so"
            for name in _OF_APACHE.split()
        )
        path = self.folder / "whole.conf"
        path.write_text(
            around.format(folder=self.folder, port=self.port or 443, modules=modules)
        )
        return path

    def _wait_for(self, process: subprocess.Popen) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
        raise AssertionError(f"{self.kind} does not listen: {self.logged()}")


def installed(kind: str) -> bool:
    return bool(shutil.which(kind, path="/usr/local/bin:/usr/bin:/usr/sbin"))
