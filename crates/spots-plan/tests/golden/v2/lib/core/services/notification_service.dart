abstract class NotificationService {
  void send(String text, {bool silent = false});
  void schedule(String text);
}
