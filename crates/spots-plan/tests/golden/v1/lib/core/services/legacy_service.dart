class LegacyService {
  void run() {}
  void stop() {}
}
