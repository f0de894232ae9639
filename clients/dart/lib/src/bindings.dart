import 'dart:ffi';

import 'package:ffi/ffi.dart';

/// `spots_status` of the header.
abstract final class SpotsStatus {
  static const ok = 0;
  static const badArgument = 1;
  static const notDurable = 2;
  static const tooFarAhead = 3;
  static const refused = 4;
  static const nothingKnown = 5;
  static const internal = 6;
}

/// `spots_timestamp` of the header.
final class SpotsTimestamp extends Struct {
  @Array(16)
  external Array<Uint8> id;

  @Uint64()
  external int nanoseconds;

  @Uint64()
  external int serverTime;

  @Uint64()
  external int deviceTime;

  @Int64()
  external int offset;

  @Uint64()
  external int errorBound;

  @Uint8()
  external int isSynchronized;

  @Uint8()
  external int isNanosecond;
}

/// `spots_clock` of the header.
final class SpotsClock extends Opaque {}

/// `spots_sync` of the header.
final class SpotsSync extends Opaque {}

/// The functions of `spots_clock.h` that this package calls.
final class SpotsBindings {
  SpotsBindings(DynamicLibrary library)
      : open = library.lookupFunction<
            Pointer<SpotsClock> Function(Pointer<Utf8>, Pointer<Utf8>, Size),
            Pointer<SpotsClock> Function(Pointer<Utf8>, Pointer<Utf8>, int)>('spots_clock_open'),
        close = library.lookupFunction<
            Void Function(Pointer<SpotsClock>),
            void Function(Pointer<SpotsClock>)>('spots_clock_close'),
        now = library.lookupFunction<
            Int32 Function(Pointer<SpotsClock>, Pointer<SpotsTimestamp>),
            int Function(Pointer<SpotsClock>, Pointer<SpotsTimestamp>)>('spots_clock_now'),
        merge = library.lookupFunction<
            Int32 Function(Pointer<SpotsClock>, Uint64),
            int Function(Pointer<SpotsClock>, int)>('spots_clock_merge'),
        check = library.lookupFunction<
            Int32 Function(Pointer<SpotsClock>),
            int Function(Pointer<SpotsClock>)>('spots_clock_check'),
        formatId = library.lookupFunction<
            Int32 Function(Pointer<Uint8>, Pointer<Utf8>),
            int Function(Pointer<Uint8>, Pointer<Utf8>)>('spots_id_format'),
        newSync = library.lookupFunction<
            Pointer<SpotsSync> Function(Pointer<SpotsClock>),
            Pointer<SpotsSync> Function(Pointer<SpotsClock>)>('spots_sync_new'),
        freeSync = library.lookupFunction<
            Void Function(Pointer<SpotsSync>),
            void Function(Pointer<SpotsSync>)>('spots_sync_free'),
        poll = library.lookupFunction<
            Int32 Function(Pointer<SpotsSync>, Pointer<Uint8>, Pointer<Uint64>),
            int Function(Pointer<SpotsSync>, Pointer<Uint8>, Pointer<Uint64>)>('spots_sync_poll'),
        receive = library.lookupFunction<
            Int32 Function(Pointer<SpotsSync>, Pointer<Uint8>, Uint64, Uint64, Uint64, Uint8, Uint64),
            int Function(
                Pointer<SpotsSync>, Pointer<Uint8>, int, int, int, int, int)>('spots_sync_receive'),
        reset = library.lookupFunction<
            Void Function(Pointer<SpotsSync>),
            void Function(Pointer<SpotsSync>)>('spots_sync_reset');

  final Pointer<SpotsClock> Function(Pointer<Utf8>, Pointer<Utf8>, int) open;
  final void Function(Pointer<SpotsClock>) close;
  final int Function(Pointer<SpotsClock>, Pointer<SpotsTimestamp>) now;
  final int Function(Pointer<SpotsClock>, int) merge;
  final int Function(Pointer<SpotsClock>) check;
  final int Function(Pointer<Uint8>, Pointer<Utf8>) formatId;
  final Pointer<SpotsSync> Function(Pointer<SpotsClock>) newSync;
  final void Function(Pointer<SpotsSync>) freeSync;
  final int Function(Pointer<SpotsSync>, Pointer<Uint8>, Pointer<Uint64>) poll;
  final int Function(Pointer<SpotsSync>, Pointer<Uint8>, int, int, int, int, int) receive;
  final void Function(Pointer<SpotsSync>) reset;
}
