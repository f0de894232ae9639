import 'business_service.dart';
import 'payment_service.dart';


class ReservationService {
  ReservationService(this.payments, this.business);

  final PaymentService payments;
  final BusinessService business;

  Future<String> reserve(String spotId, {int? seats}) async => spotId;
}
