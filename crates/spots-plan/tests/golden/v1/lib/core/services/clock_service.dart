/// The one clock.
class ClockService {
  static final ClockService instance = ClockService._();

  ClockService._();

  /// Touches the clock.
  int now() => DateTime.now().millisecondsSinceEpoch;
}
