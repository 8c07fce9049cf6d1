/* PUSH to PULL and PUB to SUB; see peer/stream.mjs. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kit.h"

enum { KINDS = 251, PROBE = 253, START = 254, STOP = 255 };

static int kinds(void) {
  size_t n = (1 << 20) / size;
  return n < 3 ? 3 : n > KINDS ? KINDS : (int)n;
}

static void put_mark(void *socket, int kind) {
  char *body = malloc(size);
  memset(body, kind, size);
  put(socket, body);
  free(body);
}

static long stream(void *socket, char **all, int *next, double time, long most) {
  long done = 0, burst = 65536 / size;
  int length = kinds();
  double end = now() + time * 1e3;
  burst = burst < 1 ? 1 : burst > 64 ? 64 : burst;
  while (most ? done < most : now() < end) {
    long stop = done + burst;
    if (most && stop > most) stop = most;
    for (; done < stop; done++) {
      put(socket, all[*next]);
      if (++*next == length) *next = 0;
    }
  }
  return done;
}

static long send_all(void *socket, meter *since) {
  char *all[KINDS];
  int next = 0;
  long sent;
  for (int i = 0; i < kinds(); i++) {
    all[i] = malloc(size);
    memset(all[i], i, size);
  }
  stream(socket, all, &next, number("warm"), count);
  put_mark(socket, START);
  *since = start_meter();
  sent = stream(socket, all, &next, seconds, count);
  put_mark(socket, STOP);
  return sent;
}

typedef struct {
  int next, over;
  long count;
  meter since;
} tally;

/* Takes the next message, and checks that it is the right one. */
static void take(void *socket, tally *t) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  check(zmq_msg_recv(&message, socket, 0), "zmq_msg_recv");
  const unsigned char *body = zmq_msg_data(&message);
  int kind = body[0];
  if (zmq_msg_size(&message) != size || body[size - 1] != kind) {
    fprintf(stderr, "a broken message\n");
    exit(1);
  }
  if (kind == t->next) {
    t->count++;
    if (++t->next == kinds()) t->next = 0;
  } else if (kind == START) {
    t->count = 0;
    t->since = start_meter();
  } else if (kind == STOP) {
    t->over = 1;
  } else if (kind != PROBE) {
    fprintf(stderr, "message %d instead of %d\n", kind, t->next);
    exit(1);
  }
  zmq_msg_close(&message);
}

void pull(void) {
  void *socket = open_socket(ZMQ_PULL);
  tally t = {0};
  set(socket, ZMQ_RCVHWM, (int)number("hwm"));
  secure(socket, 1);
  bind_and_say(socket);
  while (!t.over) take(socket, &t);
  result(t.since, t.count, "");
  told();
}

void push(void) {
  void *socket = open_socket(ZMQ_PUSH);
  meter since;
  set(socket, ZMQ_SNDHWM, (int)number("hwm"));
  secure(socket, 0);
  connect_socket(socket, arg("connect"));
  long sent = send_all(socket, &since);
  puts("{\"sent\":true}");
  told();
  result(since, sent, "");
}

static void *pair_sender(void *socket) {
  meter since;
  return (void *)send_all(socket, &since);
}

void pair(void) {
  void *in = open_socket(ZMQ_PULL), *out = open_socket(ZMQ_PUSH), *sent;
  pthread_t thread;
  tally t = {0};
  char more[64];
  set(in, ZMQ_RCVHWM, (int)number("hwm"));
  set(out, ZMQ_SNDHWM, (int)number("hwm"));
  check(zmq_bind(in, "inproc://bench"), "zmq_bind");
  connect_socket(out, "inproc://bench");
  pthread_create(&thread, NULL, pair_sender, out);
  while (!t.over) take(in, &t);
  pthread_join(thread, &sent);
  snprintf(more, sizeof more, ",\"sent\":%ld", (long)sent);
  result(t.since, t.count, more);
  told();
}

void pub(void) {
  void *socket = open_socket(ZMQ_PUB);
  zmq_pollitem_t item = {NULL, STDIN_FILENO, ZMQ_POLLIN, 0};
  meter since;
  set(socket, ZMQ_SNDHWM, 0);
  bind_and_say(socket);
  do put_mark(socket, PROBE);
  while (zmq_poll(&item, 1, 5) == 0);
  told();
  long sent = send_all(socket, &since);
  puts("{\"sent\":true}");
  told();
  result(since, sent, "");
}

static tally *tallies;
static meter first;
static long total;

static int take_one(void *socket, int index) {
  tally *t = &tallies[index];
  for (int n = 0; n < 100 && !t->over; n++) {
    int events;
    size_t length = sizeof events;
    check(zmq_getsockopt(socket, ZMQ_EVENTS, &events, &length), "zmq_getsockopt");
    if (!(events & ZMQ_POLLIN)) break;
    double before = t->since.at;
    take(socket, t);
    if (t->since.at != before && first.at == 0) first = t->since;
  }
  if (!t->over) return 1;
  total += t->count;
  return --left > 0;
}

void sub(void) {
  void **sockets = calloc(peers, sizeof *sockets);
  tallies = calloc(peers, sizeof *tallies);
  left = peers;
  for (int i = 0; i < peers; i++) {
    sockets[i] = open_socket(ZMQ_SUB);
    set(sockets[i], ZMQ_RCVHWM, 0);
    check(zmq_setsockopt(sockets[i], ZMQ_SUBSCRIBE, "", 0), "zmq_setsockopt");
    connect_socket(sockets[i], arg("connect"));
  }
  for (int i = 0; i < peers; i++) take(sockets[i], &tallies[i]);
  puts("{\"ready\":true}");
  poll_all(sockets, peers, take_one);
  result(first, total, "");
  told();
}
