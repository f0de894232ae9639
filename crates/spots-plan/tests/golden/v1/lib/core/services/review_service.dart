class ReviewService {
  void rate(int stars) {}
  void report(String why) {}
}
