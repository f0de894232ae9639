class SyncService extends ChangeNotifier {
  void sync() {}
}

class ChangeNotifier {
  void notify() {}
}
