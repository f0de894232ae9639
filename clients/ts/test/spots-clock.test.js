import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import {
  AtomicClockService, Estimate, OfflineQueue, decodeTimestampId, encodeTimestampId, exchangeOffset,
  placeOffline, rfc3339, systemSource, toWire,
} from '../src/spots-clock.js';

const vectors = JSON.parse(readFileSync(new URL('../../vectors/clock.json', import.meta.url)));
const START = 1_795_366_800_000_000_000n;
const MILLI = 1_000_000n;
const SECOND = 1_000_000_000n;

const interval = ({ low, high }) => ({ low: BigInt(low), high: BigInt(high) });
const dated = (value) => value && { at: BigInt(value.at), ...interval(value) };

test('ids', () => {
  let last = '';
  for (const { nanoseconds, node, incarnation, id } of vectors.ids) {
    assert.equal(encodeTimestampId(BigInt(nanoseconds), node, incarnation), id);
    assert.deepEqual(decodeTimestampId(id), { nanoseconds: BigInt(nanoseconds), node, incarnation });
    assert.ok(last < id);
    last = id;
  }
  for (const text of vectors.foreignIds) assert.throws(() => decodeTimestampId(text), text);
});

test('instants as text', () => {
  for (const { nanoseconds, text } of vectors.rfc3339) assert.equal(rfc3339(BigInt(nanoseconds)), text);
});

test('exchanges', () => {
  for (const { offset, errorBound, ...times } of vectors.exchanges) {
    const exchange = { errorBound: errorBound && BigInt(errorBound) };
    for (const [name, value] of Object.entries(times)) exchange[name] = BigInt(value);
    if (offset === null) assert.throws(() => exchangeOffset(exchange));
    else assert.deepEqual(exchangeOffset(exchange), interval({ low: offset[0], high: offset[1] }));
  }
});

test('estimates', () => {
  for (const { driftPpb, wanderPpb, steps } of vectors.estimates) {
    const estimate = new Estimate({ driftPpb: BigInt(driftPpb), wanderPpb: BigInt(wanderPpb) });
    for (const { at, traceable, outcome, queries, ...measured } of steps) {
      assert.equal(estimate.observe(BigInt(at), interval(measured), traceable), outcome);
      for (const { at, known } of queries) {
        const expected = known && { ...interval(known), traceable: known.traceable };
        assert.deepEqual(estimate.at(BigInt(at)), expected);
      }
    }
  }
});

test('corrections', () => {
  for (const { before, after, driftPpb, deviceTime, place } of vectors.corrections) {
    const correction = { before: dated(before), after: dated(after), driftPpb: BigInt(driftPpb) };
    assert.deepEqual(placeOffline(correction, BigInt(deviceTime)), place && place.map(BigInt));
  }
});

/** A page in a simulated world: the device is an hour behind, and the network takes its time. */
function simulated({ there = 30n * MILLI, back = 10n * MILLI, errorBound = 2n * MILLI } = {}) {
  const world = { counter: 0n, wall: START - 3_600n * SECOND, truth: START, online: true, requests: 0 };
  world.pass = (nanoseconds) => {
    world.counter += nanoseconds;
    world.wall += nanoseconds;
    world.truth += nanoseconds;
  };
  world.source = {
    counter: () => world.counter,
    wall: () => (world.wall / MILLI) * MILLI,
    resolution: MILLI,
    random: (bytes) => crypto.getRandomValues(bytes),
  };
  world.fetch = async (url, { body }) => {
    if (!world.online) throw new TypeError('network');
    world.requests += 1;
    world.pass(there);
    const receivedAt = world.truth.toString();
    world.pass(back);
    const answer = {
      nonce: JSON.parse(body).nonce,
      receivedAt,
      sentAt: receivedAt,
      errorBound: errorBound === null ? null : errorBound.toString(),
      scale: 'posix',
      receipt: 'signed',
    };
    return { ok: true, status: 200, json: async () => answer };
  };
  const stored = new Map();
  world.storage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
  };
  world.clock = () => new AtomicClockService({ url: '/time', ...world });
  return world;
}

const off = (stamp, world) => {
  const distance = stamp.serverTime - world.truth;
  return distance < 0n ? -distance : distance;
};

test('it synchronises in a burst, then leaves the server alone, and its bound is true', async () => {
  const world = simulated();
  const clock = world.clock();
  assert.equal(clock.now().errorBound, null);
  const stamp = await clock.getAtomicTimestamp();
  assert.equal(world.requests, 6);
  assert.equal(clock.receipt, 'signed');
  assert.ok(stamp.isSynchronized && off(stamp, world) <= stamp.errorBound);
  assert.ok(stamp.errorBound < 30n * MILLI, `${stamp.errorBound}`);
  world.pass(60n * SECOND);
  const later = await clock.getAtomicTimestamp();
  assert.equal(world.requests, 6);
  assert.ok(later.errorBound > stamp.errorBound && off(later, world) <= later.errorBound);
  world.pass(1_100n * SECOND);
  await clock.getAtomicTimestamp();
  assert.equal(world.requests, 7);
});

test('offline it goes on with a growing bound, and asks again when the network is back', async () => {
  const world = simulated();
  const clock = world.clock();
  await clock.getAtomicTimestamp();
  world.online = false;
  world.pass(86_400n * SECOND);
  const stamp = await clock.getAtomicTimestamp();
  assert.ok(stamp.errorBound > 43n * SECOND && off(stamp, world) <= stamp.errorBound);
  world.online = true;
  world.pass(10n * SECOND);
  assert.ok((await clock.getAtomicTimestamp()).errorBound < 50n * MILLI);
});

test('a counter that slept loses the bound until the next synchronisation', async () => {
  const world = simulated();
  const clock = world.clock();
  await clock.getAtomicTimestamp();
  world.wall += 600n * SECOND; // the counter stood still
  world.truth += 600n * SECOND;
  assert.equal(clock.check(), false);
  assert.equal(clock.now().errorBound, null);
  const stamp = await clock.getAtomicTimestamp();
  assert.ok(stamp.isSynchronized && off(stamp, world) <= stamp.errorBound);
});

test('a server that does not know its error gives time and no bound', async () => {
  const world = simulated({ errorBound: null });
  const stamp = await world.clock().getAtomicTimestamp();
  assert.equal(stamp.errorBound, null);
  assert.ok(off(stamp, world) < 50n * MILLI);
});

test('it never repeats nor goes back, also across reloads and steps of the device clock', () => {
  const world = simulated();
  let last = '';
  for (let life = 0; life < 20; life++) {
    const clock = world.clock();
    for (let i = 0; i < 100; i++) {
      const { timestampId } = clock.now();
      assert.ok(timestampId > last, `${timestampId} after ${last}`);
      last = timestampId;
      if (i % 10 === 0) world.pass(1n);
    }
    world.wall -= 1n * SECOND;
  }
});

test('a wild peer does not drag the clock', () => {
  const world = simulated();
  const clock = world.clock();
  const { nanoseconds } = clock.now();
  assert.throws(() => clock.merge(nanoseconds + 3_600n * SECOND));
  clock.merge(nanoseconds + 5n);
  assert.equal(clock.now().nanoseconds, nanoseconds + 6n);
});

test('the offline queue is bounded, ordered and repeatable', () => {
  const { clock } = simulated();
  const stamp = clock().now();
  const queue = new OfflineQueue(2);
  assert.deepEqual([queue.push(stamp, 'a'), queue.push(stamp, 'b')], [1, 2]);
  assert.throws(() => queue.push(stamp, 'c'));
  queue.acknowledge(1);
  assert.deepEqual(queue.waiting.map(({ action }) => action), ['b']);
});

test('a stamp made offline is placed by the synchronisations around it, and is not rewritten', async () => {
  const world = simulated();
  const clock = world.clock();
  await clock.getAtomicTimestamp();
  world.online = false;
  world.pass(7_200n * SECOND);
  const queue = new OfflineQueue();
  const [stamp, truth] = [clock.now(), world.truth];
  queue.push(stamp, { key: 'offline-1', kind: 'used', body: {} }, clock.receipt);
  assert.equal(clock.correctionFor(stamp), null, 'nothing came after it yet');
  const sent = [];
  await assert.rejects(queue.send(clock, () => Promise.reject(new TypeError('network'))));
  assert.equal(queue.waiting.length, 1, 'what was not taken waits');
  world.pass(7_200n * SECOND);
  world.online = true;
  await clock.getAtomicTimestamp();
  const outcomes = await queue.send(clock, async (body) => {
    sent.push(body);
    return { entries: body.entries.map(() => ({ outcome: 'added' })) };
  });
  assert.deepEqual([outcomes.length, queue.waiting.length], [1, 0]);
  const [entry] = sent[0].entries;
  assert.deepEqual([entry.stamp, entry.receipt], [toWire(stamp), 'signed']);
  const { before, after } = entry.correction;
  const place = placeOffline({ before: dated(before), after: dated(after) }, stamp.deviceTime);
  assert.ok(place[0] <= truth && truth <= place[1], 'the interval holds the truth');
  assert.ok(place[1] - place[0] < 16n * SECOND);
});

test('nothing is placed across a sleep of the counter', async () => {
  const world = simulated();
  const clock = world.clock();
  await clock.getAtomicTimestamp();
  const stamp = clock.now();
  world.wall += 600n * SECOND; // the counter stood still
  world.truth += 600n * SECOND;
  clock.check();
  await clock.getAtomicTimestamp();
  assert.equal(clock.correctionFor(stamp), null);
  world.pass(SECOND);
  const later = clock.now();
  world.pass(2_000n * SECOND);
  await clock.getAtomicTimestamp();
  assert.ok(clock.correctionFor(later).before);
});

test('on the wire nothing is rounded', async () => {
  const stamp = await simulated().clock().getAtomicTimestamp();
  const wire = JSON.parse(JSON.stringify(toWire(stamp)));
  assert.deepEqual(Object.keys(wire).sort(), [
    'deviceTime', 'errorBound', 'isSynchronized', 'milliseconds', 'nanoseconds', 'offset', 'precision',
    'serverTime', 'timestampId',
  ]);
  assert.equal(BigInt(wire.nanoseconds), stamp.nanoseconds);
  assert.match(wire.serverTime, /^2026-11-22T17:00:0\d\.\d{9}Z$/);
});

test('the real clocks work', () => {
  const clock = new AtomicClockService({ source: systemSource });
  const stamps = Array.from({ length: 10_000 }, () => clock.now().timestampId);
  assert.deepEqual(stamps, [...new Set(stamps)].sort());
});
