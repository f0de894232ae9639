class FormatService {
  String money(int cents, {String currency = 'EUR'}) => '$cents $currency';
  Map<String, List<int>> table(List<int> rows) => {};
}
