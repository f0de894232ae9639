import 'dart:collection';

import 'atomic_clock_service.dart';
import 'atomic_timestamp.dart';

/// An action that was stamped offline. The stamp is never rewritten.
final class OfflineEntry<T> {
  const OfflineEntry(this.sequence, this.stamp, this.action);

  /// Counts up from 1; an idempotency key is made from it.
  final int sequence;
  final AtomicTimestamp stamp;
  final T action;
}

/// Stamped actions that wait for the network, in order.
final class OfflineQueue<T> {
  OfflineQueue({this.limit = 1000});

  final int limit;
  final Queue<OfflineEntry<T>> _entries = Queue();
  int _next = 1;

  /// Adds an action and returns its number.
  int push(AtomicTimestamp stamp, T action) {
    if (_entries.length >= limit) {
      throw AtomicClockException('$limit actions wait for the network already; connect first');
    }
    final sequence = _next++;
    _entries.add(OfflineEntry(sequence, stamp, action));
    return sequence;
  }

  /// What waits, oldest first. Send it as often as needed.
  Iterable<OfflineEntry<T>> get waiting => _entries;

  /// The server has everything up to and including [sequence].
  void acknowledge(int sequence) {
    while (_entries.isNotEmpty && _entries.first.sequence <= sequence) {
      _entries.removeFirst();
    }
  }
}
