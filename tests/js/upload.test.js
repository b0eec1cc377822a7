/** Uploads: retried until acknowledged, refused once, kept through a reload. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "../../static/js/client.js";
import { sha256 } from "../../static/plugin-noise-trial/src/digest.js";
import { Showings } from "../../static/js/showings.js";
import {
  backOffMs,
  Outbox,
  Refused,
  sendOnce,
  sendUntilAcknowledged,
} from "../../static/js/upload.js";
import { inOneWindow } from "../../static/js/windows.js";

/** @typedef {import("../../static/js/types.js").SentResponse} SentResponse */

const asText = (/** @type {Response} */ response) => response.text();

/** @type {SentResponse} */
const SENT = {
  response: 1,
  rt_ms: 412.5,
  onsets_ms: [500, 1100],
  offsets_ms: [600, 1200],
  n_shown: 1,
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
  const body = await sendUntilAcknowledged("/x", {}, line, (response) => response.json());
  assert.deepEqual(body, { ok: 1 });
  assert.equal(sent.length, 4);
  assert.deepEqual(waits, [187.5, 375, 750]);
  assert.deepEqual(notices, [true, true, true, false]);
});

test("a reply that breaks off on its way is none", async () => {
  const broken = new ReadableStream({ start: (c) => c.error(new TypeError("network error")) });
  const { line, sent, notices } = lineTo([new Response(broken), new Response("whole")]);
  assert.equal(await sendUntilAcknowledged("/x", {}, line, asText), "whole");
  assert.equal(sent.length, 2);
  assert.deepEqual(notices, [true, false]);
});

test("what nothing waits for is sent once, whatever comes of it", async () => {
  const { line, sent } = lineTo([null]);
  await sendOnce("/x", {}, line);
  assert.equal(sent.length, 1);
});

test("a request that the server calls wrong is not sent again", async () => {
  const { line, sent, waits } = lineTo([Response.json({ error: "no such trial" }, { status: 404 })]);
  await assert.rejects(sendUntilAcknowledged("/x", {}, line, asText), (error) => {
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
  const receipt = Response.json({ correct: null, too_soon: false, next });
  const { line, sent } = lineTo([receipt, Response.json(next)]);
  const client = new Client("/session/x", line, new Outbox(kept, "session"));
  assert.deepEqual(await client.next(), next);
  assert.deepEqual(sent[0], { url: "/session/x/trials/3", body: SENT });
  assert.equal(sent[1]?.url, "/session/x/next");
  assert.equal(new Outbox(kept, "session").pending(), null);
});

test("pixels that came along with a receipt are not asked for again", async () => {
  const next = { done: false, trial: 4, frames: "/session/x/trials/4/frames" };
  const receipt = Response.json({ correct: null, too_soon: false, next: { ...next, pixels: "AH+A/w==" } });
  const { line, sent } = lineTo([receipt, new Response(new Uint8Array([1, 2]))]);
  const client = new Client("/session/x", line, new Outbox(storage(), "session"));
  const { next: came } = await client.respond(3, SENT);
  assert.equal(sent[0]?.url, "/session/x/trials/3?pixels=yes");
  assert(!came.done);
  assert.deepEqual([...(await client.frames(came))], [0, 127, 128, 255]);
  assert.equal(sent.length, 1);
  delete came.pixels;
  assert.deepEqual([...(await client.frames(came))], [1, 2]);
  assert.equal(sent[1]?.url, next.frames);
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

test("a response that another window has given, or that is of an older page, is let go", async () => {
  for (const status of [409, 400]) {
    const kept = storage();
    const outbox = new Outbox(kept, "session");
    outbox.keep({ trial: 3, sent: SENT });
    const refusal = Response.json({ error: "not this one" }, { status });
    const { line } = lineTo([refusal, Response.json({ done: true, progress: 1 })]);
    await new Client("/session/x", line, outbox).next();
    assert.equal(outbox.pending(), null);
  }
});

test("showings are counted through a reload, and for one trial at a time", () => {
  const kept = storage();
  const first = new Showings(kept, "shown");
  first.add(3);
  const reloaded = new Showings(kept, "shown");
  reloaded.add(3);
  assert.equal(reloaded.of(3), 2);
  reloaded.add(4);
  assert.equal(reloaded.of(4), 1);
  assert.equal(reloaded.of(3), 0);
  const refused = new Showings(null, "shown");
  refused.add(1);
  assert.equal(refused.of(1), 1);
});

test("a session runs in one window at a time, and comes back when the other is closed", async () => {
  const held = /** @type {(() => Promise<unknown>)[]} */ ([]);
  const locks = /** @type {any} */ ({
    request: (/** @type {string} */ _, /** @type {() => Promise<unknown>} */ run) => {
      held.push(run);
      return new Promise(() => {});
    },
  });
  const told = /** @type {string[]} */ ([]);
  const options = {
    locks,
    onElsewhere: () => void told.push("elsewhere"),
    onComeBack: () => void told.push("back"),
    run: async () => void told.push("run"),
  };
  void inOneWindow("x", options);
  void held[0]?.(); // the lock is free
  await Promise.resolve();
  assert.deepEqual(told, ["run"]);
  await new Promise((resolve) => {
    void inOneWindow("x", { ...options, onElsewhere: () => resolve(told.push("elsewhere")) });
  });
  void held[1]?.(); // the other window is closed
  assert.deepEqual(told, ["run", "elsewhere", "back"]);
  await inOneWindow("x", { ...options, locks: undefined });
  assert.deepEqual(told, ["run", "elsewhere", "back", "run"]);
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
