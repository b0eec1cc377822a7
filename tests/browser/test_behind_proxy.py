"""A real browser, a real proxy as docs/hosting has it, and a server below a prefix."""

from dataclasses import replace

import pytest

from tests.app.hosting.proxies import PREFIX, Proxy, installed
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass
from yoked.experiments.store.sqlite import open_store

from .conftest import is_ours
from .walking import FAST, begin, read_canvas, respond

N_TRIALS = 4


@pytest.mark.parametrize("kind", ["caddy", "nginx"])
def test_somebody_takes_part_below_a_prefix_behind_a_proxy(
    browser, serve, tmp_path, kind
):
    if not installed(kind):
        pytest.skip(f"{kind} is not installed here")
    bars = load_protocol("bar-in-noise")
    protocol = replace(
        bars,
        timing=FAST,
        blocks=(Block("main", N_TRIALS),),
        double_pass=DoublePass(),
        catch=replace(bars.catch, n_per_block=0),
    )
    server = serve(protocol, prefix=PREFIX)
    folder = tmp_path / "proxy"
    folder.mkdir()
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, ignore_https_errors=True
    )
    with Proxy(kind, folder, behind=server.port).running() as address, context:
        page = context.new_page()
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "console", lambda entry: said.append(entry.text) if is_ours(entry) else 0
        )
        read_canvas(page, protocol)
        begin(page, address)
        for index in range(N_TRIALS):
            respond(page, protocol, index)
        page.wait_for_url("**/done", timeout=20_000)
        code = page.locator("#completion-code").inner_text()
        assert page.evaluate("isSecureContext && crossOriginIsolated")
        page.reload()
        assert page.locator("#completion-code").inner_text() == code
    assert all(url.startswith(address) for url in asked if not url.startswith("data:"))
    assert not said
    store = open_store(server.db_path)
    assert len(store.trials(store.sessions()[0].id)) == N_TRIALS
    store.close()
