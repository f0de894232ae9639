import 'package:app/core/services/payment_service.dart';

void main() {
  final payments = PaymentService(ClockService.instance);
  ReservationService(payments, BusinessService()).reserve('spot');
}
