class ProfileService {
  String name(String id) => id;
}
