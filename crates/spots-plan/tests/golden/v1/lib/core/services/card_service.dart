import '../models/pay_method.dart';


class CardService {
  CardService(CardMethod method);
}
