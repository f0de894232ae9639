class MapService {
  void show(double x, double y) {}
}
