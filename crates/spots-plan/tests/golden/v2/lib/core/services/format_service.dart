class FormatService {
  /// Cents as people write them.
  String money(
    int cents, {
    String currency = 'EUR',
  }) =>
      '$cents $currency';

  Map<String,List<int>> table( List<int> rows ) {
    return {};
  }
}
