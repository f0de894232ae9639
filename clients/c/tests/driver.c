/* Answers one line per line of standard input, so that the vectors reach the library through the
 * header, as an app would. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spots_clock.h"

static int ids(const char *line) {
  uint64_t nanoseconds, again;
  uint16_t node, node_again;
  uint32_t incarnation, incarnation_again;
  uint8_t id[16], parsed[16];
  char text[37];
  if (sscanf(line, "id %" SCNu64 " %" SCNu16 " %" SCNu32, &nanoseconds, &node, &incarnation) != 3)
    return 0;
  if (spots_id_encode(nanoseconds, node, incarnation, id) != SPOTS_OK ||
      spots_id_format(id, text) != SPOTS_OK || spots_id_parse(text, parsed) != SPOTS_OK ||
      memcmp(id, parsed, 16) != 0 ||
      spots_id_decode(id, &again, &node_again, &incarnation_again) != SPOTS_OK ||
      again != nanoseconds || node_again != node || incarnation_again != incarnation)
    puts("wrong");
  else
    puts(text);
  return 1;
}

static int exchange(const char *line) {
  uint64_t v[7];
  int64_t low, high;
  if (sscanf(line,
             "exchange %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
             " %" SCNu64,
             &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6]) != 7)
    return 0;
  if (spots_exchange_offset(v[0], v[1], v[2], v[3], v[4], v[5], v[6], &low, &high) == SPOTS_OK)
    printf("%" PRId64 " %" PRId64 "\n", low, high);
  else
    puts("refused");
  return 1;
}

static spots_estimate *estimate;

static int estimates(const char *line) {
  uint64_t first, second;
  int64_t low, high;
  unsigned flag;
  uint8_t traceable;
  if (sscanf(line, "estimate %" SCNu64 " %" SCNu64, &first, &second) == 2) {
    spots_estimate_free(estimate);
    estimate = spots_estimate_new(first, second);
    puts("new");
  } else if (sscanf(line, "observe %" SCNu64 " %" SCNd64 " %" SCNd64 " %u", &first, &low, &high,
                    &flag) == 4) {
    puts(spots_estimate_observe(estimate, first, low, high, (uint8_t)flag) == SPOTS_OK
             ? "ok"
             : "contradicted");
  } else if (sscanf(line, "at %" SCNu64, &first) == 1) {
    if (spots_estimate_at(estimate, first, &low, &high, &traceable) == SPOTS_OK)
      printf("%" PRId64 " %" PRId64 " %u\n", low, high, (unsigned)traceable);
    else
      puts("unknown");
  } else {
    return 0;
  }
  return 1;
}

static int correction(const char *line) {
  unsigned has_before;
  uint64_t u[4], earliest, latest;
  int64_t i[4];
  if (sscanf(line,
             "correction %u %" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNu64 " %" SCNd64 " %" SCNd64
             " %" SCNu64 " %" SCNu64,
             &has_before, &u[0], &i[0], &i[1], &u[1], &i[2], &i[3], &u[2], &u[3]) != 9)
    return 0;
  if (spots_correction_place((uint8_t)has_before, u[0], i[0], i[1], u[1], i[2], i[3], u[2], u[3],
                             &earliest, &latest) == SPOTS_OK)
    printf("%" PRIu64 " %" PRIu64 "\n", earliest, latest);
  else
    puts("refused");
  return 1;
}

/* Runs a clock in a directory: order, a reservation, a synchronisation, and what is refused. */
static int run(const char *directory) {
  char error[256];
  uint8_t nonce[16] = {1, 2, 3};
  uint64_t sent;
  spots_timestamp first, second, run, synced;
  spots_clock *clock = spots_clock_open(directory, error, sizeof error);
  if (clock == NULL) {
    puts(error);
    return 1;
  }
  if (spots_clock_open(directory, error, sizeof error) != NULL || strlen(error) == 0) return 2;
  if (spots_clock_now(clock, &first) || spots_clock_reserve(clock, 10, &run) ||
      spots_clock_now(clock, &second))
    return 3;
  if (memcmp(first.id, run.id, 16) >= 0 || memcmp(run.id, second.id, 16) >= 0) return 4;
  if (second.nanoseconds < run.nanoseconds + 10) return 5;
  if (spots_clock_merge(clock, second.nanoseconds + 3600000000000u) != SPOTS_REFUSED) return 6;
  if (spots_clock_merge(clock, second.nanoseconds + 1000) != SPOTS_OK) return 7;
  if (spots_clock_now(NULL, &first) != SPOTS_BAD_ARGUMENT) return 8;
  if (spots_clock_now(clock, NULL) != SPOTS_BAD_ARGUMENT) return 9;

  spots_sync *sync = spots_sync_new(clock);
  if (spots_sync_poll(sync, nonce, &sent) != SPOTS_OK) return 10;
  /* A server that is an hour ahead, and right to the millisecond. */
  uint64_t server = sent + 3600000000000u;
  if (spots_sync_receive(sync, nonce, server, server, 1000000, 0, sent) != SPOTS_OK) return 11;
  if (spots_sync_receive(sync, nonce, server, server, 1000000, 0, sent) != SPOTS_REFUSED) return 12;
  if (spots_sync_poll(sync, nonce, &sent) != SPOTS_NOTHING_KNOWN) return 13;
  if (spots_clock_now(clock, &synced) != SPOTS_OK || !synced.is_synchronized) return 14;
  if (synced.error_bound > 1000000000u || synced.error_bound < 1000000u) return 15;
  if (synced.offset < 3599000000000 || synced.offset > 3601000000000) return 16;
  if (synced.server_time != synced.device_time + (uint64_t)synced.offset) return 17;
  spots_sync_reset(sync);
  spots_sync_free(sync);
  spots_clock_close(clock);
  puts("ran");
  return 0;
}

int main(int count, char **arguments) {
  char line[512];
  uint8_t id[16];
  if (count == 2) return run(arguments[1]);
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "parse ", 6) == 0 || strcmp(line, "parse") == 0)
      puts(spots_id_parse(line + (line[5] ? 6 : 5), id) == SPOTS_OK ? "ok" : "refused");
    else if (!ids(line) && !exchange(line) && !estimates(line) && !correction(line))
      return 1;
  }
  spots_estimate_free(estimate);
  return 0;
}
