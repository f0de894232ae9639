class CounterService {
  int get count => 1;
}
