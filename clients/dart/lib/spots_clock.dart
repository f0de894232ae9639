/// The atomic clock: timestamps that never repeat nor run backwards, with an error bound.
library;

export 'src/atomic_clock_service.dart';
export 'src/atomic_timestamp.dart';
export 'src/fake_atomic_clock_service.dart';
export 'src/native_atomic_clock_service.dart';
export 'src/offline_queue.dart';
