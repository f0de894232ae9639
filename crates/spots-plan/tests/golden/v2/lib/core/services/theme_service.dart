class ThemeService {
  E pick<E extends Object>(List<E> from) => from.first;
}
