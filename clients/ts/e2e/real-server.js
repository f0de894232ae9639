// The client against a real server: node real-server.js URL SESSION OPERATOR. Run by the tests of
// crates/spots, which start the server; it prints what it saw and fails loudly.

import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';

import { AtomicClockService, OfflineQueue, decodeTimestampId, toWire } from '../src/spots-clock.js';

const [url, session, operator] = process.argv.slice(2);
const ACTIONS = 250;

async function ask(method, path, { token = session, body } = {}) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
  return { status: response.status, json: await response.json() };
}

const serverTime = async () => BigInt((await ask('GET', '/api/v1/time')).json.nanoseconds);
const instant = (text) => {
  const [, seconds, fraction = ''] = /^(.*:\d\d)(?:\.(\d+))?Z$/.exec(text);
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
};

/** The whole stream, as an operator pages through it, once it holds so many final entries. */
async function stream(name, count) {
  for (;;) {
    const entries = [];
    for (let after = ''; ; ) {
      const path = `/api/v1/journal/${name}?limit=97${after && `&after=${after}`}`;
      const { status, json } = await ask('GET', path, { token: operator });
      assert.equal(status, 200, JSON.stringify(json));
      entries.push(...json.entries);
      if (!json.more) break;
      after = json.next;
    }
    if (entries.length >= count) return entries;
  }
}

// The clock synchronises with the server, and the receipt verifies with the published key.
let online = true;
const clock = new AtomicClockService({
  url: `${url}/api/v1/time/sync`,
  fetch: (...request) => (online ? fetch(...request) : Promise.reject(new TypeError('network'))),
});
const before = await serverTime();
const first = await clock.getAtomicTimestamp();
const after = await serverTime();
const known = clock.correctionFor({ deviceTime: 0n });
assert.ok(known, 'the server answered');
const width = known.after.high - known.after.low;
assert.ok(first.serverTime >= before - width && first.serverTime <= after + width);
const receipt = Buffer.from(clock.receipt, 'base64url');
assert.equal(receipt.length, 120);
const { keys } = (await ask('GET', '/api/v1/time/keys')).json;
const key = createPublicKey({ key: keys[0], format: 'jwk' });
assert.ok(verify(null, receipt.subarray(0, 56), key, receipt.subarray(56)));
const receipted = decodeTimestampId(
  receipt.subarray(16, 32).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
).nanoseconds;
assert.ok(before < receipted && receipted < after);

// Offline: stamps are made, nothing is sent, nothing is lost.
online = false;
const queue = new OfflineQueue();
const truth = [];
for (let number = 0; number < ACTIONS; number++) {
  const from = await serverTime();
  const stamp = clock.now();
  queue.push(
    stamp,
    { key: `offline-${number}`, kind: 'used', body: { feature: 'map', count: 1 } },
    clock.receipt,
  );
  truth.push({ from, until: await serverTime(), stamp });
}
const post = (body) => {
  if (!online) throw new TypeError('network');
  return ask('POST', '/api/v1/journal/analytics', { body }).then(({ status, json }) => {
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  });
};
await assert.rejects(queue.send(clock, post));
assert.equal(queue.waiting.length, ACTIONS);
const held = queue.waiting;

// Online again: corrections place every stamp around its truth; sending again changes nothing.
online = true;
await clock.sync();
const outcomes = await queue.send(clock, post);
assert.ok(outcomes.every(({ outcome }) => outcome === 'added'));
const again = new OfflineQueue();
for (const { stamp, action, receipt: proof } of held) again.push(stamp, action, proof);
await clock.sync();
const repeated = await again.send(clock, post);
assert.ok(repeated.every(({ outcome }) => outcome === 'repeated'));
assert.deepEqual(
  repeated.map(({ timestampId }) => timestampId),
  outcomes.map(({ timestampId }) => timestampId),
);
const read = await stream('analytics', ACTIONS);
assert.equal(read.length, ACTIONS);
assert.deepEqual(read.map(({ timestampId }) => timestampId), read.map(({ timestampId }) => timestampId).sort());
read.forEach(({ key: name, stamp, correction, earliest, latest, actor }, number) => {
  const { from, until, stamp: made } = truth[number];
  assert.equal(name, `offline-${number}`);
  assert.deepEqual(stamp, JSON.parse(JSON.stringify(toWire(made))), 'the stamp is as it was made');
  assert.ok(correction?.before && correction.after);
  assert.match(actor, /^agent_/);
  assert.ok(instant(earliest) <= until && instant(latest) >= from, `entry ${number} is placed wrongly`);
});

// Payments: the first entry of a key stands.
const pay = (amountMinor) => ({
  entries: [{
    key: 'payment-1', kind: 'captured',
    body: { paymentId: 'pay_0123456789abcdef', amountMinor, currency: 'EUR' },
  }],
});
const pays = [];
for (const amount of [4200, 4200, 9900]) {
  pays.push((await ask('POST', '/api/v1/journal/payments', { body: pay(amount) })).json.entries[0]);
}
assert.deepEqual(pays.map(({ outcome }) => outcome), ['added', 'repeated', 'conflict']);
const [payment, ...more] = await stream('payments', 1);
assert.deepEqual([payment.body.amountMinor, more.length], [4200, 0]);

// The live tracker: what arrives late does not hide what happened later.
const [earlier, later] = [truth[0].stamp, truth[ACTIONS - 1].stamp];
const place = (name, cell, stamp) => ({
  key: name, kind: 'position', body: { trackId: 'track_0123456789', cell }, stamp: toWire(stamp),
});
// A bound makes an interval of its own; a server that is not synchronised gives none.
const bounded = (stamp) => ({ ...stamp, errorBound: stamp.errorBound ?? 1_000_000n });
const [newer] = (await ask('POST', '/api/v1/journal/live-tracker', {
  body: { entries: [place('position-2', 'u33db2', bounded(later))] },
})).json.entries;
const [older] = (await ask('POST', '/api/v1/journal/live-tracker', {
  body: { entries: [place('position-1', 'u33db1', bounded(earlier))] },
})).json.entries;
assert.deepEqual([newer.current, older.current], [true, false]);

// Refused: personal data, unknown fields, other people's streams, reading.
for (const [field, value, code] of [
  ['email', 'ada@example.org', 'personal-field'], ['mood', 'good', 'unknown-field'],
]) {
  const body = { entries: [{ key: 'refused-1', kind: 'used', body: { feature: 'map', count: 1, [field]: value } }] };
  const { status, json } = await ask('POST', '/api/v1/journal/analytics', { body });
  assert.deepEqual([status, json.errors?.[0].code], [422, code], JSON.stringify(json));
  assert.ok(!JSON.stringify(json).includes('ada@'));
}
const performed = { entries: [{ key: 'refused-2', kind: 'performed', body: { operation: 'x' } }] };
assert.equal((await ask('POST', '/api/v1/journal/admin', { body: performed })).status, 403);
assert.equal((await ask('GET', '/api/v1/journal/analytics')).status, 403);
const operations = await stream('admin', 1);
assert.ok(operations.some(({ body }) => body.operation === 'server-started'));
assert.ok(operations.some(({ body, actor }) => body.operation === 'journal-read' && actor === 'operator:check'));

console.log(`${ACTIONS} actions stamped offline, placed and read; offset known to ${width} ns`);
