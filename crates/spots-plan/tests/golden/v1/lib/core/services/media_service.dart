class MediaService {
  final String folder = 'media';
  void play(void Function(int at) done) {}
}
