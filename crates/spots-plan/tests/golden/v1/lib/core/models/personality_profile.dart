/// Not called a service, and one all the same.
class PersonalityProfile {
  PersonalityProfile(this.userId);

  final String userId;

  /// Throws [StateError] when nothing is known yet.
  double trait(String name) => throw StateError('unknown');
}
