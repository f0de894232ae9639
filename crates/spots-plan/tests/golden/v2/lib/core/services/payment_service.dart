import '../models/receipt.dart';
import 'clock_service.dart';


/// Charges and refunds.
class PaymentService {
  PaymentService(this._clock, {this.retries = 3});

  final ClockService _clock;
  final int retries;

  /// Throws [PaymentException] when the card is declined.
  Future<Receipt> charge(String agentId, int amount, {String currency = 'EUR'}) async {
    throw PaymentException('declined');
  }
}
