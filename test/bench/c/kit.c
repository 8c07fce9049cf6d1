/* Arguments, meters and sockets, as plainly as libzmq's own examples do it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "kit.h"

static char **args;
void *context;
size_t size;
double seconds;
long count;
int peers, left;

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

void check(int rc, const char *what) {
  if (rc < 0) die(what);
}

const char *arg(const char *name) {
  size_t length = strlen(name);
  for (char **at = args; *at; at++)
    if (!strncmp(*at, name, length) && (*at)[length] == '=') return *at + length + 1;
  return NULL;
}

double number(const char *name) {
  const char *text = arg(name);
  return text ? atof(text) : 0;
}

void read_arguments(char **argv) {
  args = argv;
  size = (size_t)number("size");
  seconds = number("seconds");
  count = (long)number("count");
  peers = (int)number("peers");
}

static double clock_ms(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

double now(void) { return clock_ms(CLOCK_MONOTONIC); }

double wall_clock(void) { return clock_ms(CLOCK_REALTIME); }

double cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec +
         (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

meter start_meter(void) { return (meter){now(), cpu()}; }

void result(meter since, long done, const char *more) {
  printf("{\"result\":{\"count\":%ld,\"seconds\":%.6f,\"cpu\":%.6f%s}}\n", done,
         (now() - since.at) / 1e3, cpu() - since.cpu, more);
}

void told(void) {
  char line[16];
  if (!fgets(line, sizeof line, stdin)) exit(0);
}

void set(void *socket, int option, int value) {
  check(zmq_setsockopt(socket, option, &value, sizeof value), "zmq_setsockopt");
}

void *open_socket(int type) {
  void *socket = zmq_socket(context, type);
  if (!socket) die("zmq_socket");
  set(socket, ZMQ_LINGER, 0);
  return socket;
}

static void key(void *socket, int option, const char *value) {
  check(zmq_setsockopt(socket, option, value, strlen(value)), "zmq_setsockopt");
}

/* The well-known test keys of ZeroMQ's own documentation: they protect nothing. */
void secure(void *socket, int server) {
  if (!arg("curve")) return;
  if (server) {
    set(socket, ZMQ_CURVE_SERVER, 1);
    key(socket, ZMQ_CURVE_SECRETKEY, "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6");
  } else {
    key(socket, ZMQ_CURVE_SERVERKEY, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
    key(socket, ZMQ_CURVE_PUBLICKEY, "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID");
    key(socket, ZMQ_CURVE_SECRETKEY, "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs");
  }
}

void bind_socket(void *socket, char *name) {
  size_t length = NAME;
  check(zmq_bind(socket, arg("bind")), "zmq_bind");
  check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, name, &length), "zmq_getsockopt");
}

void bind_and_say(void *socket) {
  char name[NAME];
  bind_socket(socket, name);
  printf("{\"address\":\"%s\"}\n", name);
}

void connect_socket(void *socket, const char *address) {
  check(zmq_connect(socket, address), "zmq_connect");
}

void put(void *socket, const void *data) {
  check(zmq_send(socket, data, size, 0), "zmq_send");
}

void poll_all(void **sockets, int n, int (*step)(void *, int)) {
  zmq_pollitem_t *items = calloc(n, sizeof *items);
  for (int i = 0; i < n; i++) items[i] = (zmq_pollitem_t){sockets[i], 0, ZMQ_POLLIN, 0};
  for (int going = 1; going;) {
    check(zmq_poll(items, n, -1), "zmq_poll");
    for (int i = 0; i < n && going; i++)
      if (items[i].revents & ZMQ_POLLIN) going = step(sockets[i], i);
  }
  free(items);
}
