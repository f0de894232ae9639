class Receipt {
  Receipt(this.id);

  final String id;
}

class PaymentException implements Exception {
  PaymentException(this.why);

  final String why;
}
