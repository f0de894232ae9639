import 'atomic_clock_service.dart';
import 'atomic_timestamp.dart';

/// A clock for tests: it starts where you say, and time passes when you say.
final class FakeAtomicClockService implements AtomicClockService {
  FakeAtomicClockService({
    int start = 1795366800000000000,
    this.errorBound,
    this.offset = 0,
  })  : _time = start,
        _last = start - 1;

  /// What timestamps say from now on; null is "unknown".
  int? errorBound;

  /// Server time minus device time, from now on.
  int offset;

  int _time;
  int _last;

  /// Lets time pass.
  void advance(Duration duration) {
    _time += duration.inMicroseconds * 1000;
  }

  @override
  AtomicTimestamp now() {
    final nanoseconds = _time > _last ? _time : _last + 1;
    _last = nanoseconds;
    final bound = errorBound;
    return AtomicTimestamp(
      timestampId: _id(nanoseconds),
      serverTime: _time,
      deviceTime: _time - offset,
      offset: offset,
      nanoseconds: nanoseconds,
      precision: Precision.nanosecond,
      errorBound: bound == null ? null : bound + (nanoseconds - _time),
    );
  }

  @override
  Future<AtomicTimestamp> getAtomicTimestamp() async => now();

  @override
  void merge(int nanoseconds) {
    if (nanoseconds > _last) _last = nanoseconds;
  }

  @override
  void check() {}

  @override
  void close() {}

  /// The id of node 1 in its first life.
  static String _id(int nanoseconds) {
    String hex(int value, int digits) => value.toRadixString(16).padLeft(digits, '0');
    final millis = hex(nanoseconds ~/ 1000000, 12);
    final within = nanoseconds % 1000000;
    final low = within & 0xff;
    // After the variant's two bits: 8 bits of time, 16 of node, 22 of incarnation, 16 zeros.
    final fourth = 0x8000 | (low << 6);
    const tail = (1 << 38) | (1 << 16);
    return '${millis.substring(0, 8)}-${millis.substring(8)}-7${hex(within >> 8, 3)}-'
        '${hex(fourth, 4)}-${hex(tail, 12)}';
  }
}
