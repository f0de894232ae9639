/** Instants are nanoseconds since the Unix epoch; offsets are true time minus device time. */
export interface AtomicTimestamp {
  /** A UUIDv7 that sorts as text by time, node and incarnation. */
  readonly timestampId: string;
  readonly serverTime: bigint;
  readonly deviceTime: bigint;
  readonly offset: bigint;
  /** The instant in the order; at or after `serverTime`. */
  readonly nanoseconds: bigint;
  readonly milliseconds: number;
  readonly precision: 'nanosecond' | 'millisecond';
  readonly isSynchronized: boolean;
  /** True time is within this of `nanoseconds`; null is "unknown". */
  readonly errorBound: bigint | null;
}

export interface Interval {
  readonly low: bigint;
  readonly high: bigint;
}

export interface Synchronised extends Interval {
  /** Device time of the synchronisation. */
  readonly at: bigint;
}

export interface ClockSource {
  counter(): bigint;
  wall(): bigint;
  readonly resolution: bigint;
  random(bytes: Uint8Array): Uint8Array;
}

export function encodeTimestampId(nanoseconds: bigint, node: number, incarnation: number): string;
export function decodeTimestampId(text: string): {
  nanoseconds: bigint;
  node: number;
  incarnation: number;
};
export function rfc3339(nanoseconds: bigint): string;
/** As the HTTP API writes it: 64-bit integers are decimal strings. */
export function toWire(
  stamp: AtomicTimestamp,
): { [Field in keyof AtomicTimestamp]: string | number | boolean | null };
export function exchangeOffset(exchange: {
  sent: bigint;
  received: bigint;
  answered: bigint;
  returned: bigint;
  errorBound: bigint | null;
  driftPpb: bigint;
  resolution: bigint;
}): Interval;
export function placeOffline(
  correction: { before?: Synchronised | null; after: Synchronised; driftPpb?: bigint },
  deviceTime: bigint,
): [earliest: bigint, latest: bigint] | null;

export class Estimate {
  constructor(rates?: { driftPpb?: bigint; wanderPpb?: bigint });
  observe(
    at: bigint,
    interval: Interval,
    traceable: boolean,
  ): 'first' | 'agreed' | 'ignored' | 'contradicted';
  at(at: bigint): (Interval & { readonly traceable: boolean }) | null;
  reset(): void;
  readonly rateSpreadPpb: bigint;
}

/** The synchronisations around a stamp; they map it to an interval and do not rewrite it. */
export interface Correction {
  readonly before: Synchronised | null;
  readonly after: Synchronised;
}

/** As the journal takes it: 64-bit integers are decimal strings. */
export function correctionToWire(correction: Correction): {
  before: { at: string; low: string; high: string } | null;
  after: { at: string; low: string; high: string };
};

export interface OfflineEntry<T> {
  readonly sequence: number;
  readonly stamp: AtomicTimestamp;
  readonly action: T;
  readonly receipt: string | null;
}

/** What became of one entry of a batch. */
export interface JournalOutcome {
  readonly outcome: 'added' | 'repeated' | 'conflict';
  /** The stamp of the entry that stands under the key. */
  readonly timestampId: string;
  readonly arrivedAt: string;
  /** Whether it is the one that counts now, where the last writer does. */
  readonly current?: boolean;
}

/** An action as the journal takes it; the key makes repeating harmless. */
export interface JournalAction {
  readonly key: string;
  readonly kind: string;
  readonly body: Record<string, unknown>;
}

export class OfflineQueue<T> {
  constructor(limit?: number);
  push(stamp: AtomicTimestamp, action: T, receipt?: string | null): number;
  readonly waiting: OfflineEntry<T>[];
  acknowledge(sequence: number): void;
  /** Sends what waits, oldest first; `post` gives the answer's JSON or throws. */
  send(
    this: OfflineQueue<JournalAction>,
    clock: AtomicClockService,
    post: (body: { entries: unknown[] }) => Promise<{ entries: JournalOutcome[] }>,
  ): Promise<JournalOutcome[]>;
}

export const systemSource: ClockSource;

export class AtomicClockService {
  constructor(options?: {
    /** Where `POST` exchanges times; without it the clock is never synchronised. */
    url?: string;
    fetch?: typeof globalThis.fetch;
    /** Remembers how far the order got; `localStorage`, say. */
    storage?: Pick<Storage, 'getItem' | 'setItem'> | null;
    source?: ClockSource;
    burst?: number;
  });
  receipt: string | null;
  deviceTime(): bigint;
  now(): AtomicTimestamp;
  getAtomicTimestamp(): Promise<AtomicTimestamp>;
  merge(nanoseconds: bigint): void;
  check(): boolean;
  /** What was learned about a stamp afterwards; null while nothing came after it. */
  correctionFor(stamp: Pick<AtomicTimestamp, 'deviceTime'>): Correction | null;
  sync(): Promise<void>;
}
