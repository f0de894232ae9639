class AnalyticsService {
  void track(String event) {}
}
