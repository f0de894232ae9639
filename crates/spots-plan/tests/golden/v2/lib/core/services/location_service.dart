class LocationService {
  Future<double> distance(double a, double b) async => a - b;
}
