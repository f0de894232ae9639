class EventService {
  void publish(String title, String place) {}
}
