class AuditService {
  @Deprecated('Use the ledger')
  void record(String what) {
    if (what.isEmpty) throw ArgumentError('empty');
    stamp(DateTime.now());
  }

  void _unused() {}
}

void stamp(DateTime at) {}
