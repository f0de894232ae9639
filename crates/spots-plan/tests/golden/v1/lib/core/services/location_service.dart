class LocationService {
  double distance(double a, double b) => a - b;
}
