/* Scale and start-up; see peer/scale.mjs. */

#include <stdio.h>
#include "kit.h"

static void drop(void *socket) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  check(zmq_msg_recv(&message, socket, 0), "zmq_msg_recv");
  zmq_msg_close(&message);
}

void gather(void) {
  void *socket = open_socket(ZMQ_PULL);
  set(socket, ZMQ_RCVHWM, 0);
  set(socket, ZMQ_BACKLOG, 4096);
  bind_and_say(socket);
  for (int i = 0; i < peers; i++) drop(socket);
  printf("{\"all\":%.3f}\n", wall_clock());
  drop(socket);
  meter since = start_meter();
  for (long i = 1; i < count; i++) drop(socket);
  result(since, count - 1, "");
  told();
}

void scatter(void) {
  void *socket = open_socket(ZMQ_PUSH);
  char hello[16] = {0};
  told();
  double begin = wall_clock();
  for (int i = 0; i < peers; i++) connect_socket(socket, arg("connect"));
  for (int i = 0; i < peers; i++) check(zmq_send(socket, hello, 16, 0), "zmq_send");
  printf("{\"began\":%.3f}\n", begin);
  told();
  for (long i = 0; i < count; i++) check(zmq_send(socket, hello, 16, 0), "zmq_send");
  told();
}

void fill(void) {
  void *socket = open_socket(ZMQ_PUSH);
  char message[16] = {0};
  set(socket, ZMQ_SNDHWM, 0);
  connect_socket(socket, arg("connect"));
  puts("{\"ready\":true}");
  told();
  meter since = start_meter();
  for (long i = 0; i < count; i++) check(zmq_send(socket, message, 16, 0), "zmq_send");
  result(since, count, "");
  told();
}

void drain(void) {
  void *socket = open_socket(ZMQ_PULL);
  set(socket, ZMQ_RCVHWM, 1000);
  bind_and_say(socket);
  told();
  meter since = start_meter();
  for (long i = 0; i < count; i++) drop(socket);
  result(since, count, "");
  told();
}

void topics(void) {
  void *socket = open_socket(ZMQ_XPUB);
  set(socket, ZMQ_SNDHWM, 0);
  set(socket, ZMQ_RCVHWM, 0);
  bind_and_say(socket);
  drop(socket);
  meter since = start_meter();
  for (int i = 1; i < peers; i++) drop(socket);
  result(since, peers, "");
  told();
  for (long i = 0; i < count; i++) {
    char name[16];
    snprintf(name, sizeof name, "topic%09ld", i * 7919 % peers);
    check(zmq_send(socket, name, 14, 0), "zmq_send");
  }
  told();
}

void subscribe(void) {
  void *socket = open_socket(ZMQ_XSUB);
  set(socket, ZMQ_SNDHWM, 0);
  set(socket, ZMQ_RCVHWM, 0);
  connect_socket(socket, arg("connect"));
  for (int i = 0; i < peers; i++) {
    char name[20];
    snprintf(name, sizeof name, "\001topic%09d", i);
    check(zmq_send(socket, name, 15, 0), "zmq_send");
  }
  drop(socket);
  meter since = start_meter();
  for (long i = 1; i < count; i++) drop(socket);
  result(since, count - 1, "");
  told();
}

void idle(void) {
  double begin = now();
  char name[NAME];
  void *socket;
  context = zmq_ctx_new();
  socket = open_socket(ZMQ_PULL);
  bind_socket(socket, name);
  printf("{\"address\":\"%s\",\"bound\":%.4f}\n", name, now() - begin);
  told();
}
