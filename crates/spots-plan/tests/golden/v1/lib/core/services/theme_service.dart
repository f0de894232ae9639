class ThemeService {
  T pick<T extends Object>(List<T> from) => from.first;
}
