import 'dart:ffi';
import 'dart:io';
import 'dart:math';

import 'package:ffi/ffi.dart';

import 'atomic_clock_service.dart';
import 'atomic_timestamp.dart';
import 'bindings.dart';

/// What the server answered to a nonce.
final class TimeSyncAnswer {
  const TimeSyncAnswer({
    required this.receivedAt,
    required this.sentAt,
    required this.errorBound,
    this.smeared = false,
    this.receipt,
  });

  /// From the body of `POST /api/v1/time/sync`; the caller has checked that it repeats the nonce.
  factory TimeSyncAnswer.fromJson(Map<String, Object?> json) => TimeSyncAnswer(
        receivedAt: int.parse(json['receivedAt'] as String),
        sentAt: int.parse(json['sentAt'] as String),
        errorBound: switch (json['errorBound']) {
          final String bound => int.parse(bound),
          _ => null,
        },
        smeared: json['scale'] == 'smeared',
        receipt: json['receipt'] as String?,
      );

  final int receivedAt;
  final int sentAt;

  /// Null if the server does not know its own error.
  final int? errorBound;
  final bool smeared;
  final String? receipt;
}

/// Sends a nonce (32 hexadecimal digits) to the server. Throws if there is no answer.
typedef TimeExchange = Future<TimeSyncAnswer> Function(String nonce);

/// The clock of the C library, kept in step with a server.
final class NativeAtomicClockService implements AtomicClockService {
  NativeAtomicClockService._(this._native, this._clock, this._exchange)
      : _sync = _native.newSync(_clock);

  /// Opens the clock whose state is in [directory]; one process at a time can have it open.
  factory NativeAtomicClockService.open(
    String directory, {
    required TimeExchange exchange,
    DynamicLibrary? library,
  }) {
    final native = SpotsBindings(library ?? _standardLibrary());
    return using((arena) {
      const room = 512;
      final error = arena<Uint8>(room).cast<Utf8>();
      final clock = native.open(directory.toNativeUtf8(allocator: arena), error, room);
      if (clock == nullptr) throw AtomicClockException(error.toDartString());
      return NativeAtomicClockService._(native, clock, exchange);
    });
  }

  static const _unknown = -1; // UINT64_MAX in a signed int
  static const _exchangesMax = 8;
  static final _random = Random.secure();

  final SpotsBindings _native;
  final Pointer<SpotsClock> _clock;
  final Pointer<SpotsSync> _sync;
  final TimeExchange _exchange;
  Future<void>? _running;
  bool _closed = false;

  /// The last receipt that the server signed; an offline booking carries it.
  String? receipt;

  static DynamicLibrary _standardLibrary() => Platform.isIOS || Platform.isMacOS
      ? DynamicLibrary.process()
      : DynamicLibrary.open('libspots_clock_c.so');

  @override
  AtomicTimestamp now() {
    _ensureOpen();
    return using((arena) {
      final out = arena<SpotsTimestamp>();
      _expect(_native.now(_clock, out));
      final text = arena<Uint8>(37).cast<Utf8>();
      _expect(_native.formatId(out.cast<Uint8>(), text));
      final stamp = out.ref;
      return AtomicTimestamp(
        timestampId: text.toDartString(),
        serverTime: stamp.serverTime,
        deviceTime: stamp.deviceTime,
        offset: stamp.offset,
        nanoseconds: stamp.nanoseconds,
        precision: stamp.isNanosecond == 1 ? Precision.nanosecond : Precision.millisecond,
        errorBound: stamp.isSynchronized == 1 ? stamp.errorBound : null,
      );
    });
  }

  @override
  Future<AtomicTimestamp> getAtomicTimestamp() async {
    try {
      await (_running ??= _synchronise().whenComplete(() => _running = null));
    } on Exception {
      // Offline: the bound has grown, which is what the timestamp says.
    }
    return now();
  }

  /// Exchanges times for as long as something is due: a burst the first time, later one or nothing.
  Future<void> _synchronise() async {
    for (var round = 0; round < _exchangesMax; round++) {
      if (!await _exchangeOnce()) return;
    }
  }

  Future<bool> _exchangeOnce() async {
    _ensureOpen();
    final nonce = List<int>.generate(16, (_) => _random.nextInt(256));
    final due = using((arena) {
      final deviceTime = arena<Uint64>();
      final status = _native.poll(_sync, _bytes(arena, nonce), deviceTime);
      if (status == SpotsStatus.nothingKnown) return null;
      _expect(status);
      return deviceTime.value;
    });
    if (due == null) return false;
    final answer = await _exchange(
      nonce.map((byte) => byte.toRadixString(16).padLeft(2, '0')).join(),
    );
    if (_closed) return false;
    using((arena) {
      _expect(_native.receive(_sync, _bytes(arena, nonce), answer.receivedAt, answer.sentAt,
          answer.errorBound ?? _unknown, answer.smeared ? 1 : 0, due));
    });
    receipt = answer.receipt ?? receipt;
    return true;
  }

  static Pointer<Uint8> _bytes(Allocator arena, List<int> bytes) {
    final native = arena<Uint8>(bytes.length);
    native.asTypedList(bytes.length).setAll(0, bytes);
    return native;
  }

  @override
  void merge(int nanoseconds) {
    _ensureOpen();
    _expect(_native.merge(_clock, nanoseconds));
  }

  @override
  void check() {
    _ensureOpen();
    if (_native.check(_clock) == SpotsStatus.refused) _native.reset(_sync);
  }

  @override
  void close() {
    if (_closed) return;
    _closed = true;
    _native.freeSync(_sync);
    _native.close(_clock);
  }

  void _ensureOpen() {
    if (_closed) throw StateError('the clock is closed');
  }

  static void _expect(int status) {
    if (status == SpotsStatus.ok) return;
    throw AtomicClockException(switch (status) {
      SpotsStatus.notDurable => 'the state cannot be written, so no timestamp is issued',
      SpotsStatus.tooFarAhead => 'the order would run too far ahead of time',
      SpotsStatus.refused => 'the word of the peer or server is not accepted',
      _ => 'status $status',
    });
  }
}
