class RetryService {
  void run({int times = 5}) {}
  void cancel() {}
}
