class TransferService {
  void move(String to, String from) {}
}
