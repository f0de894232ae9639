// The atomic clock for browsers and Node. The arithmetic is that of crates/spots-clock, checked by the
// same vectors. Instants are bigint nanoseconds since the Unix epoch; offsets are true time minus device
// time.

const MILLI = 1_000_000n;
const SECOND = 1_000_000_000n;
const BILLION = 1_000_000_000n;
const NANOSECONDS_MAX = (1n << 63n) - 1n;
const INCARNATION_MAX = (1 << 22) - 1;
const RATE_SPAN_MIN = 1_000n * SECOND;
const SERVER_DRIFT_PPB = 200_000n;
/** How far the order may run ahead of time: the poison cap. */
const LEAD_MAX = 60n * SECOND;
/** The system clock may differ this much from the counter before it counts as sleep or a step. */
const STEP_TOLERANCE = 50n * MILLI;
/** Entries that the journal takes at once. */
const JOURNAL_BATCH_MAX = 100;
/** Synchronisations that a clock remembers, to place stamps between them. */
const SYNCS_MAX = 64;

const max = (a, b) => (a > b ? a : b);
const min = (a, b) => (a < b ? a : b);
const absolute = (a) => (a < 0n ? -a : a);

// ---- ids -------------------------------------------------------------------------------------------

/** The UUIDv7 of an instant at a node. */
export function encodeTimestampId(nanoseconds, node, incarnation) {
  if (nanoseconds < 0n || nanoseconds > NANOSECONDS_MAX) throw new RangeError('instant out of range');
  if (!Number.isInteger(node) || node < 0 || node > 0xffff) throw new RangeError('node out of range');
  if (!Number.isInteger(incarnation) || incarnation < 0 || incarnation > INCARNATION_MAX) {
    throw new RangeError('incarnation out of range');
  }
  const within = nanoseconds % MILLI;
  const bits =
    ((nanoseconds / MILLI) << 80n) | (0x7n << 76n) | ((within >> 8n) << 64n) | (0b10n << 62n) |
    ((within & 0xffn) << 54n) | (BigInt(node) << 38n) | (BigInt(incarnation) << 16n);
  const hex = bits.toString(16).padStart(32, '0');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** What an id names; throws if no atomic clock has issued it. */
export function decodeTimestampId(text) {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(text)) {
    throw new SyntaxError('not a UUID of version 7');
  }
  const bits = BigInt(`0x${text.replaceAll('-', '')}`);
  const within = (((bits >> 64n) & 0xfffn) << 8n) | ((bits >> 54n) & 0xffn);
  const nanoseconds = (bits >> 80n) * MILLI + within;
  if ((bits & 0xffffn) !== 0n || within >= MILLI || nanoseconds > NANOSECONDS_MAX) {
    throw new SyntaxError('a UUIDv7 that no atomic clock has issued');
  }
  return {
    nanoseconds,
    node: Number((bits >> 38n) & 0xffffn),
    incarnation: Number((bits >> 16n) & 0x3f_ffffn),
  };
}

/** An instant as text with nine digits, in UTC. */
export function rfc3339(nanoseconds) {
  const seconds = new Date(Number(nanoseconds / SECOND) * 1_000).toISOString().slice(0, 19);
  return `${seconds}.${(nanoseconds % SECOND).toString().padStart(9, '0')}Z`;
}

/** A timestamp as the HTTP API writes it: 64-bit integers are decimal strings. */
export function toWire(stamp) {
  return {
    ...stamp,
    serverTime: rfc3339(stamp.serverTime),
    deviceTime: rfc3339(stamp.deviceTime),
    offset: stamp.offset.toString(),
    nanoseconds: stamp.nanoseconds.toString(),
    errorBound: stamp.errorBound === null ? null : stamp.errorBound.toString(),
  };
}

// ---- what exchanges prove --------------------------------------------------------------------------

/** `nanoseconds × ppb / 10⁹`, rounded up; neither is negative. */
function partsPerBillion(nanoseconds, ppb) {
  return (nanoseconds * ppb + BILLION - 1n) / BILLION;
}

/** The offset that four timestamps prove, as {low, high}; throws if they cannot have happened. */
export function exchangeOffset({ sent, received, answered, returned, errorBound, driftPpb, resolution }) {
  if (returned < sent || answered < received) throw new RangeError('a clock ran backwards');
  const slack = partsPerBillion(returned - sent, driftPpb) + 2n * resolution + (errorBound ?? 0n);
  const low = answered - returned - slack;
  const high = received - sent + slack;
  if (low > high) throw new RangeError('the server took longer to answer than the exchange lasted');
  return { low, high };
}

/** The running intersection of all measurements, widened by drift. */
export class Estimate {
  #drift;
  #wander;
  #known = null;
  #candidate = null;
  #reference = null;
  #rate;

  constructor({ driftPpb = 500_000n, wanderPpb = 50_000n } = {}) {
    this.#drift = driftPpb;
    this.#wander = wanderPpb;
    this.#rate = [-driftPpb, driftPpb];
  }

  /** Takes in a measurement; says 'first', 'agreed', 'ignored' or 'contradicted'. */
  observe(at, { low, high }, traceable) {
    const measured = { at, low, high, traceable };
    const before = this.#known ?? this.#candidate;
    if (before === null) {
      this.#adopt(measured);
      return 'first';
    }
    if (before.traceable !== traceable) {
      if (before.traceable) return 'ignored';
      this.reset();
      this.#adopt(measured);
      return 'first';
    }
    const expected = this.#project(before, at);
    const common = { low: max(expected.low, low), high: min(expected.high, high) };
    if (common.low > common.high) {
      // An average of contradictions would be wrong for sure: wait for a second witness.
      this.reset();
      this.#candidate = measured;
      return 'contradicted';
    }
    this.#adopt({ ...measured, ...common });
    return 'agreed';
  }

  /** The counter cannot be trusted to have counted. */
  reset() {
    this.#known = this.#candidate = this.#reference = null;
    this.#rate = [-this.#drift, this.#drift];
  }

  /** {low, high, traceable} at a device time, or null. */
  at(at) {
    if (this.#known === null) return null;
    return { ...this.#project(this.#known, at), traceable: this.#known.traceable };
  }

  /** Half the width of the rate's bounds, in parts in 10⁹. */
  get rateSpreadPpb() {
    return max((this.#rate[1] - this.#rate[0]) / 2n, 1n);
  }

  #adopt(measured) {
    this.#known = measured;
    this.#candidate = null;
    if (this.#reference === null) this.#reference = measured;
    else this.#measureRate(this.#reference, measured);
  }

  #measureRate(from, to) {
    const span = to.at - from.at;
    if (span < RATE_SPAN_MIN) return;
    const low = max(((to.low - from.high) * BILLION) / span - this.#wander - 1n, -this.#drift);
    const high = min(((to.high - from.low) * BILLION) / span + this.#wander + 1n, this.#drift);
    if (low <= high) this.#rate = [low, high];
  }

  #project(from, at) {
    const age = absolute(at - from.at);
    const moved = (ppb) => (ppb < 0n ? -partsPerBillion(age, -ppb) : partsPerBillion(age, ppb));
    // The server's own clock runs off, too.
    const extra = from.traceable ? 0n : partsPerBillion(age, SERVER_DRIFT_PPB);
    const rounding = age > 0n ? 1n : 0n;
    const [slow, fast] = this.#rate;
    const [down, up] = at >= from.at ? [moved(slow), moved(fast)] : [-moved(fast), -moved(slow)];
    const ends = [from.low + down - rounding, from.high + up + rounding];
    return { low: min(...ends) - extra, high: max(...ends) + extra };
  }
}

/** The [earliest, latest] true time of what was stamped offline at `deviceTime`, or null. */
export function placeOffline({ before, after, driftPpb = 500_000n }, deviceTime) {
  if (deviceTime > after.at) return null;
  const widened = ({ at, low, high }) => {
    const estimate = new Estimate({ driftPpb, wanderPpb: 0n });
    estimate.observe(at, { low, high }, true);
    return estimate.at(deviceTime);
  };
  let { low, high } = widened(after);
  if (before) {
    const known = widened(before);
    low = max(low, known.low);
    high = min(high, known.high);
  }
  return low <= high ? [deviceTime + low, deviceTime + high] : null;
}

/** Actions stamped offline, in order, at most `limit` of them. */
export class OfflineQueue {
  #entries = [];
  #next = 1;
  #limit;

  constructor(limit = 1_000) {
    this.#limit = limit;
  }

  /**
   * Adds an action with its stamp, and the receipt that the clock held; returns its number, from which
   * an idempotency key is made.
   */
  push(stamp, action, receipt = null) {
    if (this.#entries.length >= this.#limit) {
      throw new RangeError(`${this.#limit} actions wait for the network already; connect first`);
    }
    const sequence = this.#next++;
    this.#entries.push({ sequence, stamp, action, receipt });
    return sequence;
  }

  /** What waits, oldest first; send it as often as needed. */
  get waiting() {
    return [...this.#entries];
  }

  /** The server has everything up to and including `sequence`. */
  acknowledge(sequence) {
    this.#entries = this.#entries.filter((entry) => entry.sequence > sequence);
  }

  /**
   * Sends what waits to a stream of the journal, oldest first, and acknowledges it. Each action is
   * `{ key, kind, body }`; the key makes repeating harmless. `post` sends a body and gives the answer's
   * JSON, or throws. Returns the server's outcome of every entry, in order.
   */
  async send(clock, post) {
    const outcomes = [];
    while (this.#entries.length > 0) {
      const batch = this.#entries.slice(0, JOURNAL_BATCH_MAX);
      const entries = batch.map(({ stamp, action, receipt }) => {
        const correction = clock.correctionFor(stamp);
        return {
          ...action,
          stamp: toWire(stamp),
          ...(correction && { correction: correctionToWire(correction) }),
          ...(receipt && { receipt }),
        };
      });
      const answer = await post({ entries });
      outcomes.push(...answer.entries);
      this.acknowledge(batch.at(-1).sequence);
    }
    return outcomes;
  }
}

/** A correction as the journal takes it: 64-bit integers are decimal strings. */
export function correctionToWire({ before, after }) {
  const offset = ({ at, low, high }) => ({ at: `${at}`, low: `${low}`, high: `${high}` });
  return { before: before ? offset(before) : null, after: offset(after) };
}

// ---- the clock -------------------------------------------------------------------------------------

/** The page's clocks: a counter that never steps, and the wall clock for its name. */
export const systemSource = {
  counter: () => BigInt(Math.round(performance.now() * 1_000)) * 1_000n,
  wall: () => BigInt(Date.now()) * MILLI,
  // Browsers round their clocks against fingerprinting; a wall clock resolves milliseconds anyway.
  resolution: MILLI,
  random: (bytes) => crypto.getRandomValues(bytes),
};

/** A timestamp source for the app: order, error bound, synchronisation, all in one. */
export class AtomicClockService {
  #source;
  #storage;
  #fetch;
  #url;
  #estimate;
  #origin;
  #wallGap = 0n;
  #last;
  #node;
  #incarnation;
  #due = 0n;
  #burstLeft;
  #scale = null;
  #running = null;
  #syncs = [];
  /** Since when, in device time, the counter is known to have counted. */
  #unbroken = -1n;
  /** The last receipt that the server signed, as it came; an offline booking carries it. */
  receipt = null;

  constructor({ url, fetch: transport, storage = null, source = systemSource, burst = 6 } = {}) {
    this.#source = source;
    this.#storage = storage;
    this.#url = url ?? null;
    this.#fetch = transport ?? ((...request) => globalThis.fetch(...request));
    this.#estimate = new Estimate();
    this.#burstLeft = burst;
    // The wall clock resolves less than the counter: it was read up to `resolution` late.
    this.#origin = source.wall() - source.counter();
    this.#last = BigInt(storage?.getItem('spots-clock-last') ?? '0');
    const [a, b, c, d, e] = source.random(new Uint8Array(5));
    this.#node = (a << 8) | b;
    this.#incarnation = ((c << 16) | (d << 8) | e) & INCARNATION_MAX;
    if (this.#last > this.deviceTime() + LEAD_MAX) {
      // The device's clock was in the future once. Ids stay unique by the new identity.
      this.#last = 0n;
    }
  }

  /** What the device shows: a line that never steps. */
  deviceTime() {
    return this.#source.counter() + this.#origin;
  }

  /** The next timestamp, at once, with what is known now. */
  now() {
    const deviceTime = this.deviceTime();
    const known = this.#estimate.at(deviceTime);
    const offset = known ? (known.low + known.high) >> 1n : 0n;
    const serverTime = deviceTime + offset;
    const nanoseconds = max(serverTime, this.#last + 1n);
    this.#last = nanoseconds;
    this.#storage?.setItem('spots-clock-last', nanoseconds.toString());
    const radius = known?.traceable ? (known.high - known.low + 1n) / 2n : null;
    const lead = nanoseconds - serverTime;
    return Object.freeze({
      timestampId: encodeTimestampId(nanoseconds, this.#node, this.#incarnation),
      serverTime,
      deviceTime,
      offset,
      nanoseconds,
      milliseconds: Number(nanoseconds / MILLI),
      precision: this.#source.resolution <= 1_000n ? 'nanosecond' : 'millisecond',
      isSynchronized: radius !== null,
      errorBound: radius === null ? null : radius + lead + this.#source.resolution,
    });
  }

  /** The next timestamp, after a synchronisation if one is due; never fails for lack of a network. */
  async getAtomicTimestamp() {
    this.check();
    if (this.#url !== null && this.deviceTime() >= this.#due) {
      try {
        await this.sync();
      } catch {
        // Offline: the bound has grown, which is what the timestamp says.
      }
    }
    return this.now();
  }

  /** Takes note of a peer's instant; refuses what lies too far ahead. */
  merge(nanoseconds) {
    const now = this.deviceTime();
    const known = this.#estimate.at(now);
    const time = known ? (known.low + known.high) >> 1n : 0n;
    if (nanoseconds > now + time + LEAD_MAX) throw new RangeError('the peer is too far in the future');
    this.#last = max(this.#last, nanoseconds);
  }

  /** Notices that the machine slept or its clock was set. Call it when the page becomes visible. */
  check() {
    const gap = this.#source.wall() - this.deviceTime();
    const moved = absolute(gap - this.#wallGap);
    this.#wallGap = gap;
    if (moved <= STEP_TOLERANCE) return true;
    this.#estimate.reset();
    this.#break();
    this.#due = 0n;
    return false;
  }

  /**
   * What was learned about a stamp afterwards: the last synchronisation before it and the first after
   * it, for `placeOffline` and the journal. Null while nothing came after it, or if the counter stood
   * still or the clock was set in between.
   */
  correctionFor({ deviceTime }) {
    if (deviceTime <= this.#unbroken) return null;
    const after = this.#syncs.find(({ at }) => at >= deviceTime) ?? null;
    const before = this.#syncs.findLast(({ at }) => at < deviceTime) ?? null;
    return after && { before, after };
  }

  #break() {
    this.#syncs = [];
    this.#unbroken = this.deviceTime();
  }

  /** Exchanges times with the server: a burst the first time, then one. */
  sync() {
    this.#running ??= this.#exchanges().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #exchanges() {
    // What fails must not be asked again by every caller.
    this.#due = this.deviceTime() + 5n * SECOND;
    do {
      await this.#exchange();
      this.#burstLeft -= 1;
    } while (this.#burstLeft > 0);
    const known = this.#estimate.at(this.deviceTime());
    const room = known ? max(50n * MILLI - (known.high - known.low) / 2n, 0n) : 0n;
    const wait = (room * BILLION) / this.#estimate.rateSpreadPpb;
    this.#due = this.deviceTime() + min(max(wait, 64n * SECOND), 1_024n * SECOND);
  }

  async #exchange() {
    const nonce = [...this.#source.random(new Uint8Array(16))]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
    const sent = this.deviceTime();
    const response = await this.#fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ nonce }),
      cache: 'no-store',
    });
    const returned = this.deviceTime();
    if (!response.ok) throw new Error(`the time server answered ${response.status}`);
    const answer = await response.json();
    if (answer.nonce !== nonce) throw new Error('the answer is not to this request');
    this.#scale ??= answer.scale;
    if (answer.scale !== this.#scale) throw new Error('the servers count leap seconds differently');
    const errorBound = answer.errorBound === null ? null : BigInt(answer.errorBound);
    const offset = exchangeOffset({
      sent,
      received: BigInt(answer.receivedAt),
      answered: BigInt(answer.sentAt),
      returned,
      errorBound,
      driftPpb: 500_000n,
      resolution: this.#source.resolution,
    });
    if (this.#estimate.observe(returned, offset, errorBound !== null) === 'contradicted') {
      this.#burstLeft = 3;
      this.#break();
    }
    this.#syncs = [...this.#syncs, { at: returned, ...offset }].slice(-SYNCS_MAX);
    this.receipt = answer.receipt ?? this.receipt;
  }
}
