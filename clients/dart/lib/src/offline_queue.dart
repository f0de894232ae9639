import 'dart:collection';

import 'atomic_clock_service.dart';
import 'atomic_timestamp.dart';

/// An action that was stamped offline. The stamp is never rewritten.
final class OfflineEntry<T> {
  const OfflineEntry(this.sequence, this.stamp, this.action, this.receipt);

  /// Counts up from 1; an idempotency key is made from it.
  final int sequence;
  final AtomicTimestamp stamp;
  final T action;

  /// The receipt that the clock held then, if it held one.
  final String? receipt;
}

/// An action as `POST /api/v1/journal/{stream}` takes it; the key makes repeating harmless.
final class JournalAction {
  const JournalAction({required this.key, required this.kind, required this.body});

  final String key;
  final String kind;

  /// Ids, words and numbers; never text of a person's.
  final Map<String, Object?> body;
}

/// Stamped actions that wait for the network, in order.
final class OfflineQueue<T> {
  OfflineQueue({this.limit = 1000});

  final int limit;
  final Queue<OfflineEntry<T>> _entries = Queue();
  int _next = 1;

  /// Adds an action and returns its number.
  int push(AtomicTimestamp stamp, T action, {String? receipt}) {
    if (_entries.length >= limit) {
      throw AtomicClockException('$limit actions wait for the network already; connect first');
    }
    final sequence = _next++;
    _entries.add(OfflineEntry(sequence, stamp, action, receipt));
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

/// Sends what waits to a stream of the journal.
extension JournalQueue on OfflineQueue<JournalAction> {
  static const _batchMax = 100;

  /// Oldest first; what was taken is acknowledged. [post] sends a body and throws if there is no answer.
  Future<void> send(Future<void> Function(Map<String, Object?> body) post) async {
    while (waiting.isNotEmpty) {
      final batch = waiting.take(_batchMax).toList();
      await post({
        'entries': [
          for (final entry in batch)
            {
              'key': entry.action.key,
              'kind': entry.action.kind,
              'body': entry.action.body,
              'stamp': entry.stamp.toJson(),
              if (entry.receipt != null) 'receipt': entry.receipt,
            },
        ],
      });
      acknowledge(batch.last.sequence);
    }
  }
}
