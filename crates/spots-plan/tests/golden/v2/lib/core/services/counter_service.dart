class CounterService {
  int count() => 1;
}
