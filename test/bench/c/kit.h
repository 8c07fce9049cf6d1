/* What every job of the C peer needs; see kit.c. */

#include <stddef.h>
#include <zmq.h>

enum { NAME = 300, SAMPLES = 2000000 };

typedef struct {
  double at, cpu;
} meter;

/* From the arguments. */
extern size_t size;
extern double seconds;
extern long count;
extern int peers;

extern void *context;
/* Sockets that are not done yet, for poll_all. */
extern int left;

void check(int rc, const char *what);
void read_arguments(char **argv);
const char *arg(const char *name);
double number(const char *name);

double now(void);
double wall_clock(void);
double cpu(void);
meter start_meter(void);
/* Writes what was measured; `more` is JSON for the same object. */
void result(meter since, long done, const char *more);
/* Waits for a line from the orchestrator. */
void told(void);

void set(void *socket, int option, int value);
void *open_socket(int type);
void secure(void *socket, int server);
void bind_socket(void *socket, char *name);
void bind_and_say(void *socket);
void connect_socket(void *socket, const char *address);
void put(void *socket, const void *data);
/* Waits for messages on many sockets and lets `step` take some while it returns 1. */
void poll_all(void **sockets, int n, int (*step)(void *, int));

/* The jobs. */
void pull(void);
void push(void);
void pair(void);
void pub(void);
void sub(void);
void rep(void);
void req(void);
void router(void);
void dealers(void);
void proxy(void);
void gather(void);
void scatter(void);
void fill(void);
void drain(void);
void topics(void);
void subscribe(void);
void idle(void);
