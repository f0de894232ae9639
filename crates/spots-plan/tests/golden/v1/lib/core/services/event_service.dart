class EventService {
  void publish(String title, {required String place}) {}
}
