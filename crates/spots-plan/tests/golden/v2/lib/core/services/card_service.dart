import '../models/pay_method.dart';


class CardService {
  CardService(PayMethod method);
}
