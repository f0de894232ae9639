class RetryService {
  void run({int times = 3}) {}
}
