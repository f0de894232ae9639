class MessageService {
  void send(String from, String to) {}
  void open(String room) {}
  void close(String room) {}
}
