class AuditService {
  void record(String what) {}
}
