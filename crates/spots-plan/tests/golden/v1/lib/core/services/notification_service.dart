abstract class NotificationService {
  void send(String text);
}
