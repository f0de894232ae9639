class MediaService {
  String get folder => 'media';
  void play(void Function(int position) done) {}
}
