"""Serve a page that says who it thinks has asked: `python seen.py PREFIX`."""

import sys
from functools import partial

from flask import Flask, jsonify, request

from yoked.app.hosting.process import run
from yoked.app.hosting.settings import read_settings

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1000


@app.get("/seen")
def seen():
    return jsonify(client=request.remote_addr, url=request.url)


if __name__ == "__main__":
    told = {"prefix": sys.argv[1], "port": 0, "trusted_proxies": "127.0.0.1"}
    run(app, read_settings(told, None, {}), partial(print, flush=True))
