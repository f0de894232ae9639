import '../models/business.dart';


class BusinessService {
  Future<List<Business>> find(String query, {int limit = 20}) async => [];

  Business? byId(String id) => null;
}
