class SessionService {
  void start() {}
}
