class SessionService {
  SessionService({int minutes = 30, String? realm});

  void start() {}
}
