class SearchService {
  int rank(num score) => score.round();
}
