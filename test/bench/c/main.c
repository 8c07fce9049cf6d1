/* One side of a benchmark run with libzmq itself: peer.mjs in C.

     peer job=NAME KEY=VALUE...                                                  */

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include "kit.h"

static void version(void) {
  int major, minor, patch;
  zmq_version(&major, &minor, &patch);
  printf("%d.%d.%d\n", major, minor, patch);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } jobs[] = {{"pull", pull},     {"push", push},           {"pair", pair},
              {"pub", pub},       {"sub", sub},             {"rep", rep},
              {"req", req},       {"router", router},       {"dealers", dealers},
              {"proxy", proxy},   {"gather", gather},       {"scatter", scatter},
              {"fill", fill},     {"drain", drain},         {"topics", topics},
              {"idle", idle},     {"subscribe", subscribe}, {"version", version},
              {NULL, NULL}};
  struct rlimit files;
  (void)argc;
  read_arguments(argv + 1);
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *name = arg("job");
  for (int i = 0; name && jobs[i].name; i++) {
    if (strcmp(jobs[i].name, name)) continue;
    if (jobs[i].run != idle) {
      context = zmq_ctx_new();
      zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 16000);
    }
    jobs[i].run();
    return 0;
  }
  fprintf(stderr, "no such job\n");
  return 1;
}
