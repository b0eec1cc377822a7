"""Between a real browser and the real server: cut, slow, half-open, 500, silence."""

import json
from dataclasses import replace

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import DoublePass
from yoked.experiments.store.sqlite import open_store

from .proxy import KINDS, Proxy
from .walking import FAST, read_canvas

# Sits at the page like a participant: presses what the template picks, and buttons.
# What the server acknowledged is kept through reloads.
SIT = """
const acknowledged = () => JSON.parse(localStorage.getItem("acknowledged") ?? "[]");
const ask = window.fetch.bind(window);
window.fetch = async (url, request) => {
  const reply = await ask(url, request);
  const trial = /trials\\/(\\d+)(?:\\?pixels=yes)?$/.exec(String(url))?.[1];
  if (trial === undefined || request?.method !== "POST" || !reply.ok) return reply;
  // A reply that breaks off acknowledges nothing.
  const whole = await reply.arrayBuffer();
  const { response } = JSON.parse(request.body);
  const kept = JSON.stringify([...acknowledged(), [Number(trial), response]]);
  localStorage.setItem("acknowledged", kept);
  return new Response(whole, { status: reply.status, headers: reply.headers });
};
let pressed = 0;
setInterval(() => {
  document.querySelector("#jspsych-content button:last-of-type")?.click();
  const pick = window.yokedTest?.picks[pressed];
  if (!pick) return;
  pressed += 1;
  const code = CODES[pick.response];
  window.dispatchEvent(new KeyboardEvent("keydown", { code, key: "" }));
}, 10);
"""


def sit_through(launch, serve, n_faults: int, n_people: int, n_trials: int) -> Proxy:
    """Let people run whole sessions through a proxy, and hold the log against them."""
    protocol = load_protocol("bar-in-noise")
    protocol = replace(protocol, catch=replace(protocol.catch, n_per_block=0))
    protocol = protocol.with_options(n_trials, 0.227, FAST)
    protocol = replace(protocol, double_pass=DoublePass())
    server = serve(protocol)
    proxy = Proxy(server.port, n_faults, seed=9)
    browser = launch()
    pages = []
    for _ in range(n_people):
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        read_canvas(page, protocol)
        page.add_init_script(SIT.replace("CODES", json.dumps(["KeyF", "KeyJ"])))
        page.goto(proxy.address)
        page.get_by_role("button", name="I agree", disabled=False).click()
        pages.append(page)
    told = {}
    for page in pages:  # nobody is stuck: each gets to the end by themselves
        page.wait_for_url("**/done", timeout=600_000)
        token = page.url.split("/session/")[1].split("/")[0]
        kept = page.evaluate("localStorage.getItem('acknowledged')")
        told[token] = [tuple(pair) for pair in json.loads(kept)]
    browser.close()
    proxy.close()
    store = open_store(server.db_path)
    logs = []
    for row in store.sessions():
        records = store.trials(row.id)
        assert [r.spec.trial for r in records] == list(range(n_trials))
        logs.append([(r.spec.trial, r.response.response) for r in records])
    store.close()
    assert proxy.wrong == []
    assert len(logs) == n_people
    # Every acknowledged response is there, once and as it was given.
    for acknowledged in told.values():
        (own,) = [log for log in logs if set(acknowledged) <= set(log)]
        assert sorted(set(acknowledged)) == own
        logs.remove(own)
    return proxy


def test_every_kind_of_fault_loses_nothing_and_stops_nobody(launch, serve):
    proxy = sit_through(launch, serve, 2 * len(KINDS), n_people=2, n_trials=25)
    assert proxy.n_left == 0
    assert proxy.injected == dict.fromkeys(KINDS, 2)
