/// Not called a service, and one all the same.
class PersonalityProfile {
  PersonalityProfile(this.agentId);

  final String agentId;

  /// Throws [StateError] when nothing is known yet.
  double trait(String name) => throw StateError('unknown');
}
