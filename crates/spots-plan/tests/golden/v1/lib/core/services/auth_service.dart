class AuthService {
  AuthService();
  AuthService.offline();

  bool get signedIn => false;
}
