/** Answers that wait for the server: kept through a reload, sent in order, never taken back by an old one. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Unsent } from "../../static/js/unsent.js";

/** A storage as a tab has it. */
function tab() {
  const kept = new Map();
  return /** @type {any} */ ({
    kept,
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ text) => void kept.set(key, text),
    removeItem: (/** @type {string} */ key) => void kept.delete(key),
  });
}

/** @param {any} storage */
function started(storage, step = 0) {
  /** @type {[string, unknown, number][]} */
  const sent = [];
  /** @type {((taken: boolean) => void)[]} */
  const replies = [];
  const unsent = new Unsent(storage, "key", step, (...what) => {
    sent.push(what);
    return new Promise((resolve) => replies.push(resolve));
  });
  return { unsent, sent, reply: async (taken = true) => {
    replies.shift()?.(taken);
    await new Promise((resolve) => setImmediate(resolve));
  } };
}

test("answers go one after the other, and steps rise from the server's", async () => {
  const { unsent, sent, reply } = started(tab(), 7);
  unsent.keep("age", "31");
  unsent.keep("hand", "left");
  const done = unsent.sent();
  assert.deepEqual(sent, [["age", "31", 8]]);
  await reply();
  assert.deepEqual(sent[1], ["hand", "left", 9]);
  await reply();
  await done;
});

test("what is changed while it is on its way is sent again, with a later step", async () => {
  const { unsent, sent, reply } = started(tab());
  unsent.keep("age", "3");
  const done = unsent.sent();
  unsent.keep("age", "31");
  await reply();
  assert.deepEqual(sent, [["age", "3", 1], ["age", "31", 2]]);
  await reply();
  await done;
  assert.equal(unsent.pending("age"), undefined);
});

test("the same again is not sent again, and what the page came with is not sent", async () => {
  const { unsent, sent, reply } = started(tab());
  unsent.knows("hand", "left");
  unsent.keep("hand", "left");
  unsent.keep("age", "31");
  const done = unsent.sent();
  await reply();
  await done;
  unsent.keep("age", "31");
  await unsent.sent();
  assert.equal(sent.length, 1);
});

test("a reload finds what was not acknowledged, and what was refused", async () => {
  const storage = tab();
  const first = started(storage);
  first.unsent.keep("age", "17");
  const done = first.unsent.sent();
  await first.reply(false);
  await done; // refused: it is not sent for ever
  first.unsent.keep("hand", "left"); // and the page is closed
  const second = started(storage, 1);
  assert.equal(second.unsent.pending("age"), "17");
  assert.equal(second.unsent.pending("hand"), "left");
  const again = second.unsent.sent();
  await second.reply(false);
  await second.reply();
  await again;
  assert.deepEqual(second.sent.map(([question, , step]) => [question, step]), [["age", 1], ["hand", 2]]);
  second.unsent.clear();
  assert.equal(storage.kept.size, 0);
});

test("a browser without storage keeps them in memory", async () => {
  const { unsent, sent, reply } = started(null);
  unsent.keep("age", "31");
  const done = unsent.sent();
  await reply();
  await done;
  assert.equal(sent.length, 1);
});
