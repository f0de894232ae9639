import '../models/business.dart';


class BusinessService {
  Future<List<Business>> search(String query, {int limit = 20}) async => [];

  Business? byId(String id) => null;
}
