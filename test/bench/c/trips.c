/* Round trips; see peer/trips.mjs. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kit.h"

static void *answer(void *socket) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  for (;;) {
    check(zmq_msg_recv(&message, socket, 0), "zmq_msg_recv");
    check(zmq_msg_send(&message, socket, zmq_msg_more(&message) ? ZMQ_SNDMORE : 0),
          "zmq_msg_send");
  }
  return NULL;
}

static void answer_until_told(void *socket) {
  pthread_t thread;
  meter since = start_meter();
  pthread_create(&thread, NULL, answer, socket);
  told();
  result(since, 0, "");
  exit(0);
}

void rep(void) {
  void *socket = open_socket(ZMQ_REP);
  bind_and_say(socket);
  answer_until_told(socket);
}

void router(void) {
  void *socket = open_socket(ZMQ_ROUTER);
  set(socket, ZMQ_SNDHWM, 0);
  set(socket, ZMQ_RCVHWM, 0);
  if (arg("bind")) bind_and_say(socket);
  else connect_socket(socket, arg("connect"));
  answer_until_told(socket);
}

static char *body, *back;

static void make_bodies(void) {
  body = calloc(1, size + 1);
  back = calloc(1, size + 1);
}

static void receive_body(void *socket) {
  check(zmq_recv(socket, back, size, 0), "zmq_recv");
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void req(void) {
  void *socket = open_socket(ZMQ_REQ);
  double *samples = malloc(SAMPLES * sizeof *samples);
  char more[128];
  make_bodies();
  connect_socket(socket, arg("connect"));
  double end = now() + number("warm") * 1e3;
  while (now() < end) {
    put(socket, body);
    receive_body(socket);
  }
  meter since = start_meter();
  long n = 0;
  end = since.at + seconds * 1e3;
  const long most = count > 0 && count < SAMPLES ? count : SAMPLES;
  for (double start; start = now(), n < most && (count > 0 || start < end); n++) {
    put(socket, body);
    receive_body(socket);
    samples[n] = (now() - start) * 1e3;
  }
  meter till = {now(), cpu()};
  qsort(samples, n, sizeof *samples, compare);
  snprintf(more, sizeof more, ",\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f",
           samples[n / 2], samples[n * 99 / 100], samples[n * 999 / 1000]);
  since.at += now() - till.at;
  since.cpu += cpu() - till.cpu;
  result(since, n, more);
  told();
}

static long *trips;
static double deadline;

static int trip(void *socket, int index) {
  receive_body(socket);
  trips[index]++;
  if (now() < deadline) put(socket, body);
  else left--;
  return left > 0;
}

void dealers(void) {
  void **sockets = calloc(peers, sizeof *sockets);
  char more[64];
  make_bodies();
  long sum = 0, least = 0;
  meter since = {0};
  trips = calloc(peers, sizeof *trips);
  for (int i = 0; i < peers; i++) connect_socket(sockets[i] = open_socket(ZMQ_DEALER), arg("connect"));
  for (int round = 0; round < 2; round++) {
    memset(trips, 0, peers * sizeof *trips);
    since = start_meter();
    deadline = since.at + (round ? seconds : number("warm")) * 1e3;
    left = peers;
    for (int i = 0; i < peers; i++) put(sockets[i], body);
    poll_all(sockets, peers, trip);
  }
  least = trips[0];
  for (int i = 0; i < peers; i++) {
    sum += trips[i];
    if (trips[i] < least) least = trips[i];
  }
  snprintf(more, sizeof more, ",\"fairness\":%.3f", (double)least * peers / sum);
  result(since, sum, more);
  told();
}

static void *front, *rear;

static void *forward(void *unused) {
  zmq_proxy(front, rear, NULL);
  return unused;
}

void proxy(void) {
  char one[NAME], two[NAME];
  pthread_t thread;
  front = open_socket(ZMQ_ROUTER);
  rear = open_socket(ZMQ_DEALER);
  bind_socket(front, one);
  bind_socket(rear, two);
  printf("{\"address\":\"%s\",\"back\":\"%s\"}\n", one, two);
  pthread_create(&thread, NULL, forward, NULL);
  told();
}
