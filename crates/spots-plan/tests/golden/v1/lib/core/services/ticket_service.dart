import '../models/ticket_kind.dart';


class TicketService {
  void sell(TicketKind kind) {}
}
