class SyncService {
  void sync() {}
  void notify() {}
}

class ChangeNotifier {
  void notify() {}
}
