class ConfigService {
  String region() => 'eu';
}
