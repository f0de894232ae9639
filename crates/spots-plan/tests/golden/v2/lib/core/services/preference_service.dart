class PreferenceService extends _Stored {
  PreferenceService(super.store);

  void set(String key, Object? value) {}
}

class _Stored {
  _Stored(this.store);

  final String store;
}
