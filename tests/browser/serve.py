"""Serve a protocol that a test wrote: `python serve.py DB PROTOCOL.json LUT PORT`."""

import json
import sys
from pathlib import Path

from yoked.app.web.serving import serve
from yoked.experiments.protocols.protocol import Protocol

db_path, protocol_path, lut, port = sys.argv[1:]
protocol = Protocol.from_dict(json.loads(Path(protocol_path).read_text()))
serve(
    db_path,
    protocol,
    port=int(port),
    lut=lut,
    announce=lambda address: print(address, flush=True),
)
