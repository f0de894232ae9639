/// What the source of time really resolves.
enum Precision { nanosecond, millisecond }

/// One instant that nobody else has, with what is known about its error.
///
/// All times are nanoseconds since the Unix epoch. Timestamps sort by [timestampId], whose text sorts by
/// time, node and incarnation.
final class AtomicTimestamp implements Comparable<AtomicTimestamp> {
  const AtomicTimestamp({
    required this.timestampId,
    required this.serverTime,
    required this.deviceTime,
    required this.offset,
    required this.nanoseconds,
    required this.precision,
    required this.errorBound,
  });

  /// A UUIDv7 that names this timestamp.
  final String timestampId;

  /// The best estimate of true time.
  final int serverTime;

  /// What the device's own clock showed.
  final int deviceTime;

  /// [serverTime] minus [deviceTime].
  final int offset;

  /// The instant in the order; at or after [serverTime].
  final int nanoseconds;

  final Precision precision;

  /// True time is within this of [nanoseconds]; null is "unknown", never zero.
  final int? errorBound;

  bool get isSynchronized => errorBound != null;

  int get milliseconds => nanoseconds ~/ 1000000;

  /// For showing to a person; a [DateTime] resolves microseconds.
  DateTime toDateTime() =>
      DateTime.fromMicrosecondsSinceEpoch(serverTime ~/ 1000, isUtc: true);

  @override
  int compareTo(AtomicTimestamp other) => timestampId.compareTo(other.timestampId);

  @override
  bool operator ==(Object other) =>
      other is AtomicTimestamp && other.timestampId == timestampId;

  @override
  int get hashCode => timestampId.hashCode;

  @override
  String toString() => timestampId;

  /// As the HTTP API writes it; 64-bit integers are decimal strings.
  Map<String, Object?> toJson() => {
        'timestampId': timestampId,
        'serverTime': rfc3339(serverTime),
        'deviceTime': rfc3339(deviceTime),
        'offset': offset.toString(),
        'nanoseconds': nanoseconds.toString(),
        'milliseconds': milliseconds,
        'precision': precision.name,
        'isSynchronized': isSynchronized,
        'errorBound': errorBound?.toString(),
      };
}

/// An instant as text with nine digits, in UTC.
String rfc3339(int nanoseconds) {
  final seconds = nanoseconds ~/ 1000000000;
  final text = DateTime.fromMillisecondsSinceEpoch(seconds * 1000, isUtc: true).toIso8601String();
  final fraction = (nanoseconds % 1000000000).toString().padLeft(9, '0');
  return '${text.substring(0, 19)}.${fraction}Z';
}
