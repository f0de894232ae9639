class TransferService {
  void move(String from, String to) {}
}
