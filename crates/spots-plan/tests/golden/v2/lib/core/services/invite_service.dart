import 'clock_service.dart';
import 'notification_service.dart';


class InviteService {
  void invite(String userId) {
    GetIt.I<NotificationService>().send(userId);
    ClockService.instance.now();
  }
}

class GetIt {
  static GetIt get I => GetIt();
  T call<T>() => throw StateError('none');
}
