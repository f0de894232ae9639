class SearchService {
  int rank(int score) => score;
}
