import 'atomic_timestamp.dart';

/// Where the app gets the time. Depend on this, so that tests can pass a fake.
abstract interface class AtomicClockService {
  /// The next timestamp, after a synchronisation if one is due. It never fails for lack of a network:
  /// then the error bound has grown, which is what the timestamp says.
  Future<AtomicTimestamp> getAtomicTimestamp();

  /// The next timestamp, at once, with what is known now.
  AtomicTimestamp now();

  /// Everything issued from now on sorts after a peer's instant. Throws an [AtomicClockException] if that
  /// lies too far in the future.
  void merge(int nanoseconds);

  /// Notices that the device slept or its clock was set; call it when the app comes to the foreground.
  void check();

  /// Records the exact last timestamp. The service cannot be used afterwards.
  void close();
}

/// Why the clock did not do what was asked.
final class AtomicClockException implements Exception {
  const AtomicClockException(this.message);

  final String message;

  @override
  String toString() => 'AtomicClockException: $message';
}
