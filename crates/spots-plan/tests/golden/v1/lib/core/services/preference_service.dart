class PreferenceService {
  PreferenceService(String store) : _store = store;

  final String _store;
  void set(String key, dynamic value) {}
  String toString() => _store;
}
