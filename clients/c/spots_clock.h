/* The atomic clock: timestamps that never repeat nor run backwards, with an error bound.
 * Times are nanoseconds since the Unix epoch. See README.md beside this file. */
#ifndef SPOTS_CLOCK_H
#define SPOTS_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An error bound that is not known. */
#define SPOTS_UNKNOWN UINT64_MAX

typedef enum spots_status {
  SPOTS_OK = 0,
  SPOTS_BAD_ARGUMENT = 1,  /* a null pointer, or a value out of range */
  SPOTS_NOT_DURABLE = 2,   /* the state cannot be written; nothing was issued */
  SPOTS_TOO_FAR_AHEAD = 3, /* the order would run too far ahead of time */
  SPOTS_REFUSED = 4,       /* the peer's, the server's or the file's word is not accepted */
  SPOTS_NOTHING_KNOWN = 5, /* there is no such knowledge yet */
  SPOTS_INTERNAL = 6       /* a defect of this library */
} spots_status;

typedef struct spots_clock spots_clock;
typedef struct spots_sync spots_sync;
typedef struct spots_estimate spots_estimate;

typedef struct spots_timestamp {
  uint8_t id[16];         /* a UUIDv7 */
  uint64_t nanoseconds;   /* the instant in the order */
  uint64_t server_time;   /* the best estimate of true time */
  uint64_t device_time;   /* what the device's own clock showed */
  int64_t offset;         /* server_time - device_time */
  uint64_t error_bound;   /* true time is within this of nanoseconds; SPOTS_UNKNOWN */
  uint8_t is_synchronized; /* 1 if error_bound is known */
  uint8_t is_nanosecond;   /* precision: 1 nanosecond, 0 millisecond */
} spots_timestamp;

/* Opens the clock whose state is in a directory, which is created if missing. On failure returns
 * NULL and writes why, NUL-terminated and cut to size, to error if it is not NULL. */
spots_clock *spots_clock_open(const char *directory, char *error, size_t error_size);
/* Records the exact last timestamp and frees the clock; NULL is allowed. */
void spots_clock_close(spots_clock *clock);
spots_status spots_clock_now(const spots_clock *clock, spots_timestamp *out);
/* Takes count consecutive timestamps; out is the first, the next ones are 1 ns apart. */
spots_status spots_clock_reserve(const spots_clock *clock, uint64_t count, spots_timestamp *out);
/* Everything issued from now on sorts after a peer's instant. */
spots_status spots_clock_merge(const spots_clock *clock, uint64_t nanoseconds);
/* Call it on waking up: notices that the machine slept or its clock was set. */
spots_status spots_clock_check(const spots_clock *clock);

/* Ids. Text is 36 characters and a NUL. */
spots_status spots_id_encode(uint64_t nanoseconds, uint16_t node, uint32_t incarnation,
                             uint8_t id[16]);
spots_status spots_id_decode(const uint8_t id[16], uint64_t *nanoseconds, uint16_t *node,
                             uint32_t *incarnation);
spots_status spots_id_format(const uint8_t id[16], char text[37]);
spots_status spots_id_parse(const char *text, uint8_t id[16]);

/* Synchronisation of a clock with one server. The clock must outlive it. */
spots_sync *spots_sync_new(const spots_clock *clock);
void spots_sync_free(spots_sync *sync);
/* random: 16 unpredictable bytes. SPOTS_OK: send them as the nonce now and keep *device_time as
 * the sending time. SPOTS_NOTHING_KNOWN: nothing is due before *device_time. */
spots_status spots_sync_poll(spots_sync *sync, const uint8_t random[16], uint64_t *device_time);
/* The answer: the server's two times and its bound or SPOTS_UNKNOWN; smeared is 1 if the server
 * smears leap seconds; sent is what spots_sync_poll gave. Call it as soon as the answer is here. */
spots_status spots_sync_receive(spots_sync *sync, const uint8_t nonce[16], uint64_t received,
                                uint64_t answered, uint64_t error_bound, uint8_t smeared,
                                uint64_t sent);
/* The counter may have stood still: forget everything. */
void spots_sync_reset(spots_sync *sync);

/* The arithmetic alone. Offsets are server time minus device time. */
spots_status spots_exchange_offset(uint64_t sent, uint64_t received, uint64_t answered,
                                   uint64_t returned, uint64_t error_bound, uint64_t drift_ppb,
                                   uint64_t resolution, int64_t *low, int64_t *high);
spots_estimate *spots_estimate_new(uint64_t drift_ppb, uint64_t wander_ppb);
void spots_estimate_free(spots_estimate *estimate);
/* SPOTS_REFUSED: it contradicts what was known, of which nothing is left. */
spots_status spots_estimate_observe(spots_estimate *estimate, uint64_t at, int64_t low,
                                    int64_t high, uint8_t traceable);
spots_status spots_estimate_at(const spots_estimate *estimate, uint64_t at, int64_t *low,
                               int64_t *high, uint8_t *traceable);
/* Where a device time stamped offline lies in true time, given the synchronisation before (or
 * has_before 0) and the one after it. */
spots_status spots_correction_place(uint8_t has_before, uint64_t before_at, int64_t before_low,
                                    int64_t before_high, uint64_t after_at, int64_t after_low,
                                    int64_t after_high, uint64_t drift_ppb, uint64_t device_time,
                                    uint64_t *earliest, uint64_t *latest);

#ifdef __cplusplus
}
#endif

#endif
