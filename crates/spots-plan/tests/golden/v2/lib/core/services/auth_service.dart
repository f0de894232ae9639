class AuthService {
  AuthService(String realm);

  bool get signedIn => false;
}
