/** Uploads: retried until acknowledged, refused once, kept through a reload. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client, sha256 } from "../../static/js/client.js";
import { backOffMs, Outbox, Refused, sendUntilAcknowledged } from "../../static/js/upload.js";

/** @typedef {import("../../static/js/types.js").SentResponse} SentResponse */

/** @type {SentResponse} */
const SENT = {
  response: 1,
  rt_ms: 412.5,
  onsets_ms: [500, 1100],
  frames_shown: 12,
  frames_dropped: 0,
  digest: null,
  events: [],
};

/**
 * A line whose server gives the replies in turn; null is a network that is down.
 * @param {(Response | null)[]} replies
 */
function lineTo(replies) {
  const sent = /** @type {{ url: string, body: unknown }[]} */ ([]);
  const waits = /** @type {number[]} */ ([]);
  const notices = /** @type {boolean[]} */ ([]);
  return {
    sent,
    waits,
    notices,
    line: {
      /** @type {typeof fetch} */
      fetch: async (url, request) => {
        sent.push({ url: String(url), body: request?.body && JSON.parse(String(request.body)) });
        const reply = replies.shift();
        if (!reply) throw new TypeError("Failed to fetch");
        return reply;
      },
      wait: async (/** @type {number} */ ms) => void waits.push(ms),
      random: () => 0.5,
      onWaiting: (/** @type {boolean} */ isWaiting) => void notices.push(isWaiting),
    },
  };
}

/** A storage that lasts as long as this test, as the browser's outlasts a page. */
function storage() {
  const items = new Map();
  return /** @type {Storage} */ (
    /** @type {unknown} */ ({
      getItem: (/** @type {string} */ key) => items.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ text) => items.set(key, text),
      removeItem: (/** @type {string} */ key) => items.delete(key),
    })
  );
}

test("a request is sent again until the server acknowledges it", async () => {
  const busy = () => new Response("", { status: 503 });
  const { line, sent, waits, notices } = lineTo([null, busy(), null, Response.json({ ok: 1 })]);
  const response = await sendUntilAcknowledged("/x", {}, line);
  assert.deepEqual(await response.json(), { ok: 1 });
  assert.equal(sent.length, 4);
  assert.deepEqual(waits, [187.5, 375, 750]);
  assert.deepEqual(notices, [true, true, true, false]);
});

test("a request that the server calls wrong is not sent again", async () => {
  const { line, sent, waits } = lineTo([Response.json({ error: "no such trial" }, { status: 404 })]);
  await assert.rejects(sendUntilAcknowledged("/x", {}, line), (error) => {
    assert(error instanceof Refused);
    assert.equal(error.status, 404);
    assert.equal(error.message, "no such trial");
    return true;
  });
  assert.equal(sent.length, 1);
  assert.equal(waits.length, 0);
});

test("waits double up to a ceiling, and chance moves them by half", () => {
  assert.equal(backOffMs(0, () => 0), 125);
  assert.equal(backOffMs(0, () => 1), 250);
  assert.equal(backOffMs(3, () => 1), 2000);
  assert.equal(backOffMs(500, () => 1), 8000);
});

test("a response that a reload left unsent is sent before anything else", async () => {
  const kept = storage();
  new Outbox(kept, "session").keep({ trial: 3, sent: SENT });
  const next = { done: true, progress: 1 };
  const receipt = Response.json({ correct: null, next });
  const { line, sent } = lineTo([receipt, Response.json(next)]);
  const client = new Client("/session/x", line, new Outbox(kept, "session"));
  assert.deepEqual(await client.next(), next);
  assert.deepEqual(sent[0], { url: "/session/x/trials/3", body: SENT });
  assert.equal(sent[1]?.url, "/session/x/next");
  assert.equal(new Outbox(kept, "session").pending(), null);
});

test("a response is kept until it is acknowledged", async () => {
  const kept = storage();
  const outbox = new Outbox(kept, "session");
  const receipt = Response.json({ correct: true, next: { done: true, progress: 1 } });
  const { line, sent } = lineTo([null, receipt]);
  const seen = /** @type {unknown[]} */ ([]);
  const wait = async () => void seen.push(new Outbox(kept, "session").pending());
  const client = new Client("/session/x", { ...line, wait }, outbox);
  assert.equal((await client.respond(3, SENT)).correct, true);
  assert.deepEqual(seen, [{ trial: 3, sent: SENT }]);
  assert.equal(sent.length, 2);
  assert.equal(outbox.pending(), null);
});

test("a response that another window has given is let go", async () => {
  const kept = storage();
  const outbox = new Outbox(kept, "session");
  outbox.keep({ trial: 3, sent: SENT });
  const conflict = Response.json({ error: "trial 3 is stored" }, { status: 409 });
  const { line } = lineTo([conflict, Response.json({ done: true, progress: 1 })]);
  await new Client("/session/x", line, outbox).next();
  assert.equal(outbox.pending(), null);
});

test("an outbox without storage keeps the response in memory", () => {
  const outbox = new Outbox(null, "session");
  outbox.keep({ trial: 3, sent: SENT });
  assert.deepEqual(outbox.pending(), { trial: 3, sent: SENT });
  outbox.clear();
  assert.equal(outbox.pending(), null);
});

test("the digest is the SHA-256 of the bytes", async () => {
  const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  assert.equal(await sha256(new Uint8Array()), empty);
});
