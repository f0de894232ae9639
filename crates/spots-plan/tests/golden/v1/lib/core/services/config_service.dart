class ConfigService {
  static String region() => 'eu';
}
