class ReviewService extends _Rating {
  void report(String why) {}
}

abstract class _Rating {
  void rate(int stars) {}
}
