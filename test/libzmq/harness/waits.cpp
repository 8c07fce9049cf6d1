/*  What blocks natively, for the test programs: every wait becomes a call of
    test_wait, which Asyncify suspends, while the loader lets libzmq and the host
    work. The linker's --wrap puts these in front of the product's functions.

    A fiber is a thread of the test program (the first one runs main). What runs
    outside of fibers is libzmq's I/O side, which must never wait.  */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <map>
#include <string>
#include <vector>

#include "precompiled.hpp"
#include "fd_table.hpp"
#include "imports.h"
#include "names.hpp"
#include "macros.hpp"
#include "thread.hpp"
#include "signaler.hpp"
#include "unity.h"

#define TEST_IMPORT(name)                                                      \
    __attribute__ ((import_module ("test"), import_name (name)))

typedef bool (ready_fn) (void *);

extern "C" {
//  Suspends the fiber until ready_ (arg_) or until the milliseconds are over; a
//  negative number never ends, and with 0 the host has one turn. Whether ready_
//  is true then: ask it again.
TEST_IMPORT ("wait") void test_wait (ready_fn *ready_, void *arg_, double ms_);
//  Whether a fiber is on the stack, and not libzmq's I/O side.
TEST_IMPORT ("running") int test_running (void);
//  Milliseconds since the running fiber was resumed.
TEST_IMPORT ("busy") double test_busy (void);
//  Starts a fiber; its number.
TEST_IMPORT ("spawn") int test_spawn (void (*fn_) (void *), void *arg_);
//  Whether a fiber has ended.
TEST_IMPORT ("ended") int test_ended (int fiber_);
//  Starts to open a listener or datagram socket there, as the product does before
//  zmq_bind, and whether that is settled: 1 + the port of a datagram socket.
TEST_IMPORT ("prepare")
void test_prepare (const char *target_, int size_, int backlog_);
TEST_IMPORT ("prepared") int test_prepared (const char *target_, int size_);
//  Whether the datagram socket that was prepared has got its descriptor.
TEST_IMPORT ("taken") int test_taken (const char *target_, int size_);
//  Forgets what was prepared, whether it could be had or not.
TEST_IMPORT ("settle") void test_settle (const char *target_, int size_);
//  Makes a directory from a template, as mkdtemp does; 0 or -errno.
TEST_IMPORT ("mkdtemp") int test_mkdtemp (char *template_, int size_);
//  Whether the case of this name is to be run.
TEST_IMPORT ("selected") int test_selected (const char *name_, int size_);

//  Called by the loader.
__attribute__ ((visibility ("default"))) int zw_test_check (ready_fn *ready_,
                                                            void *arg_)
{
    return ready_ (arg_);
}
__attribute__ ((visibility ("default"))) int zw_test_call (void (*fn_) (void *),
                                                           void *arg_)
{
    fn_ (arg_);
    return 0;
}
__attribute__ ((visibility ("default"))) int *zw_test_errno ()
{
    return &errno;
}
}

//  Whether what runs now is libzmq's I/O side although a fiber called it.
static bool io_side = false;

static bool may_block ()
{
    return !io_side && test_running ();
}

static bool never (void *)
{
    return false;
}

//  Negative for ever. Whether it became ready.
static bool wait_until (ready_fn *ready_, void *arg_, double ms_)
{
    if (ready_ (arg_))
        return true;
    if (ms_ == 0 || !may_block ())
        return false;
    test_wait (ready_, arg_, ms_);
    return ready_ (arg_);
}

//  A thread that only looks would keep libzmq's I/O side from working.
static void breathe ()
{
    if (may_block () && test_busy () > 1)
        test_wait (never, NULL, 0);
}

static int fail (int errno_)
{
    errno = errno_;
    return -1;
}

//  --- threads

static std::map<const zmq::thread_t *, int> &threads ()
{
    static std::map<const zmq::thread_t *, int> map;
    return map;
}

static bool ended (void *fiber_)
{
    return test_ended ((int) (intptr_t) fiber_);
}

extern "C" {

void __wrap__ZN3zmq8thread_t5startEPFvPvES1_PKc (zmq::thread_t *self_,
                                                 zmq::thread_fn *fn_,
                                                 void *arg_,
                                                 const char *)
{
    threads ()[self_] = test_spawn (fn_, arg_);
}

void __wrap__ZN3zmq8thread_t4stopEv (zmq::thread_t *self_)
{
    const std::map<const zmq::thread_t *, int>::iterator it =
      threads ().find (self_);
    if (it == threads ().end ())
        return;
    wait_until (ended, (void *) (intptr_t) it->second, -1);
    threads ().erase (self_);
}

//  --- Unity: each case in a fiber of its own, so that a failed one can be left

struct case_t
{
    UnityTestFunction fn;
};

//  setUp and tearDown of each program, in the table that build.sh makes.
extern void (*zw_test_programs[]) ();
static int program = 0;

__attribute__ ((visibility ("default"))) void zw_test_program (int index_)
{
    program = index_;
}

static void run_case (void *arg_)
{
    zw_test_programs[program * 2] ();
    ((case_t *) arg_)->fn ();
}

static void run_tear_down (void *)
{
    zw_test_programs[program * 2 + 1] ();
}

void UnityDefaultTestRun (UnityTestFunction fn_, const char *name_, const int line_)
{
    if (!test_selected (name_, strlen (name_)))
        return;
    case_t test = {fn_};
    Unity.CurrentTestName = name_;
    Unity.CurrentTestLineNumber = (UNITY_LINE_TYPE) line_;
    Unity.NumberOfTests++;
    wait_until (ended, (void *) (intptr_t) test_spawn (run_case, &test), -1);
    wait_until (ended, (void *) (intptr_t) test_spawn (run_tear_down, NULL), -1);
    UnityConcludeTest ();
    fflush (stdout);
}

//  --- libzmq's own waits

//  The thread that ends a context finishes the pollers' work for them.
zmq::host_poller_t *__real__ZN3zmq13host_poller_tD1Ev (zmq::host_poller_t *);

zmq::host_poller_t *__wrap__ZN3zmq13host_poller_tD1Ev (zmq::host_poller_t *self_)
{
    const bool before = io_side;
    io_side = true;
    __real__ZN3zmq13host_poller_tD1Ev (self_);
    io_side = before;
    return self_;
}

static bool signalled (void *fd_)
{
    return zw::entry ((int) (intptr_t) fd_)->signals > 0;
}

int __wrap__ZNK3zmq10signaler_t4waitEi (const zmq::signaler_t *self_, int timeout_)
{
    void *const fd = (void *) (intptr_t) self_->get_fd ();
    if (!signalled (fd) && timeout_ == 0)
        breathe ();
    return wait_until (signalled, fd, timeout_) ? 0 : fail (EAGAIN);
}

//  The stubs of the C library leave the condition alone: it counts broadcasts.
struct condition_t
{
    const volatile unsigned *count;
    unsigned before;
};

static bool broadcast (void *arg_)
{
    const condition_t *const it = (condition_t *) arg_;
    return *it->count != it->before;
}

int __wrap_pthread_cond_broadcast (pthread_cond_t *cond_)
{
    ++*(volatile unsigned *) cond_;
    return 0;
}

static int wait_condition (pthread_cond_t *cond_, double ms_)
{
    condition_t it = {(volatile unsigned *) cond_, *(volatile unsigned *) cond_};
    return wait_until (broadcast, &it, ms_) ? 0 : ETIMEDOUT;
}

int __wrap_zw_pthread_cond_wait (pthread_cond_t *cond_, pthread_mutex_t *)
{
    return wait_condition (cond_, -1);
}

int __wrap_pthread_cond_timedwait (pthread_cond_t *cond_,
                                   pthread_mutex_t *,
                                   const timespec *until_)
{
    timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    const double ms = (until_->tv_sec - now.tv_sec) * 1e3
                      + (until_->tv_nsec - now.tv_nsec) / 1e6;
    return wait_condition (cond_, ms > 0 ? ms : 0);
}

static int sleep_for (double ms_)
{
    wait_until (never, NULL, ms_);
    return 0;
}

int __wrap_usleep (unsigned us_)
{
    return sleep_for (us_ / 1e3);
}

unsigned __wrap_sleep (unsigned seconds_)
{
    return sleep_for (seconds_ * 1e3);
}

int __wrap_nanosleep (const timespec *time_, timespec *)
{
    return sleep_for (time_->tv_sec * 1e3 + time_->tv_nsec / 1e6);
}

unsigned __wrap_alarm (unsigned)
{
    return 0; //  the runner has a limit of its own
}

//  --- sockets of the test program itself: they block unless told not to

struct kind_of_fd_t
{
    int type;
    bool nonblocking;
    kind_of_fd_t () : type (SOCK_STREAM), nonblocking (false) {}
};

static std::map<int, kind_of_fd_t> &kinds ()
{
    static std::map<int, kind_of_fd_t> map;
    return map;
}

static bool may_wait (int fd_, int flags_)
{
    return may_block () && !(flags_ & MSG_DONTWAIT)
           && !kinds ()[fd_].nonblocking;
}

static bool can_read (void *fd_)
{
    return zw::readable (zw::entry ((int) (intptr_t) fd_));
}

static bool can_write (void *fd_)
{
    return zw::writable (zw::entry ((int) (intptr_t) fd_));
}

static void wait_read (int fd_)
{
    wait_until (can_read, (void *) (intptr_t) fd_, -1);
}

static void wait_write (int fd_)
{
    wait_until (can_write, (void *) (intptr_t) fd_, -1);
}

//  Whether the descriptor is one, as it may have kept one that libzmq has closed.
static bool is_open (int fd_)
{
    return fd_ >= 16 && zw::entry (fd_)->kind != zw::free_fd;
}

int __real_socket (int, int, int);
int __real_close (int);
int __real_bind (int, const sockaddr *, socklen_t);
int __real_listen (int, int);
int __real_connect (int, const sockaddr *, socklen_t);
int accept4 (int, sockaddr *, socklen_t *, int);
ssize_t __real_recv (int, void *, size_t, int);
ssize_t __real_send (int, const void *, size_t, int);
int __real_getaddrinfo (const char *, const char *, const addrinfo *, addrinfo **);

int __wrap_socket (int domain_, int type_, int protocol_)
{
    const int fd = __real_socket (domain_, type_, protocol_);
    if (fd != -1) {
        kinds ()[fd] = kind_of_fd_t ();
        kinds ()[fd].type = type_ & (SOCK_STREAM | SOCK_DGRAM);
    }
    return fd;
}

int __wrap_close (int fd_)
{
    if (!is_open (fd_))
        return fail (EBADF);
    kinds ().erase (fd_);
    return __real_close (fd_);
}

int __wrap_fcntl (int fd_, int command_, ...)
{
    va_list args;
    va_start (args, command_);
    const int value = va_arg (args, int);
    va_end (args);
    if (command_ == F_SETFL)
        kinds ()[fd_].nonblocking = (value & O_NONBLOCK) != 0;
    return command_ == F_GETFL && kinds ()[fd_].nonblocking ? O_NONBLOCK : 0;
}

struct target_t
{
    std::string words;
};

static bool prepared (void *arg_)
{
    const target_t *const it = (target_t *) arg_;
    return test_prepared (it->words.data (), it->words.size ());
}

static bool taken (void *arg_)
{
    const target_t *const it = (target_t *) arg_;
    return test_taken (it->words.data (), it->words.size ());
}

//  Returns what test_prepared says.
static int prepare (target_t *target_)
{
    //  What was closed before must be gone, as a native I/O thread sees to.
    test_wait (never, NULL, 0);
    test_prepare (target_->words.data (), target_->words.size (), 100);
    wait_until (prepared, target_, -1);
    return test_prepared (target_->words.data (), target_->words.size ());
}

static void settle (target_t *target_)
{
    const int err = errno;
    test_settle (target_->words.data (), target_->words.size ());
    errno = err;
}

int zw_bind_target (void *socket_, const char *endpoint_, char *out_, int cap_);
int zmq_bind (void *, const char *);

//  The programs call this in place of zmq_bind (build.sh). libzmq binds datagram sockets on its I/O side, which cannot wait.
int zw_test_bind (void *socket_, const char *endpoint_)
{
    char text[512];
    if (!endpoint_ || strncmp (endpoint_, "udp://", 6) != 0)
        return zmq_bind (socket_, endpoint_);
    const int size = zw_bind_target (socket_, endpoint_, text, sizeof text);
    if (size <= 0 || text[0] != 'u')
        return zmq_bind (socket_, endpoint_);
    target_t target = {std::string (text, size)};
    prepare (&target);
    const int rc = zmq_bind (socket_, endpoint_);
    if (rc == 0)
        wait_until (taken, &target, 1000);
    settle (&target);
    return rc;
}

static int bind_datagram (int fd_, const sockaddr *addr_, socklen_t size_)
{
    zw::words_t words;
    zw::to_words (addr_, size_, &words);
    target_t target = {"u" + std::to_string (words.family) + " " + words.host
                       + " " + std::to_string (words.port)};
    const int port = prepare (&target) - 1;
    zw::fd_entry_t *const e = zw::entry (fd_);
    memcpy (&e->local, addr_, size_);
    e->local_size = size_;
    ((sockaddr_in *) &e->local)->sin_port = htons (port);
    const int rc = __real_bind (fd_, (sockaddr *) &e->local, size_);
    settle (&target);
    return port > 0 ? rc : fail (EADDRINUSE);
}

//  The product's TypeScript listens before zmq_bind, and the descriptor's
//  listen() takes that over. Here both happen in bind(), because the programs
//  ask for the port after it.
int __wrap_bind (int fd_, const sockaddr *addr_, socklen_t size_)
{
    if (may_block () && zw::entry (fd_)->kind == zw::datagram_fd)
        return bind_datagram (fd_, addr_, size_);
    if (__real_bind (fd_, addr_, size_) != 0)
        return -1;
    if (!may_block () || kinds ()[fd_].type != SOCK_STREAM)
        return 0;
    zw::words_t words;
    zw::to_stream_words (addr_, size_, &words);
    target_t target = {std::to_string (words.family) + " " + words.host};
    if (words.family != 1)
        target.words += " " + std::to_string (words.port);
    prepare (&target);
    const int rc = __real_listen (fd_, 100);
    settle (&target);
    return rc;
}

int __wrap_listen (int fd_, int backlog_)
{
    if (zw::entry (fd_)->kind == zw::listen_fd)
        return 0;
    return __real_listen (fd_, backlog_);
}

int __wrap_accept (int fd_, sockaddr *addr_, socklen_t *size_)
{
    if (may_wait (fd_, 0))
        wait_read (fd_);
    const int fd = accept4 (fd_, addr_, size_, 0);
    if (fd != -1)
        kinds ()[fd] = kind_of_fd_t ();
    return fd;
}

int __wrap_connect (int fd_, const sockaddr *addr_, socklen_t size_)
{
    const int rc = __real_connect (fd_, addr_, size_);
    if (rc == 0 || errno != EINPROGRESS || !may_wait (fd_, 0))
        return rc;
    wait_write (fd_);
    zw::fd_entry_t *const e = zw::entry (fd_);
    return e->error ? fail (e->error) : 0;
}

ssize_t __wrap_recv (int fd_, void *buf_, size_t size_, int flags_)
{
    if (may_wait (fd_, flags_))
        wait_read (fd_);
    return __real_recv (fd_, buf_, size_, flags_);
}

ssize_t __real_recvfrom (int, void *, size_t, int, sockaddr *, socklen_t *);

ssize_t __wrap_recvfrom (
  int fd_, void *buf_, size_t size_, int flags_, sockaddr *from_, socklen_t *from_size_)
{
    sockaddr_storage from;
    socklen_t from_size = sizeof from;
    if (may_wait (fd_, flags_))
        wait_read (fd_);
    return __real_recvfrom (fd_, buf_, size_, flags_,
                            from_ ? from_ : (sockaddr *) &from,
                            from_ ? from_size_ : &from_size);
}

ssize_t __wrap_send (int fd_, const void *buf_, size_t size_, int flags_)
{
    if (!may_wait (fd_, flags_))
        return __real_send (fd_, buf_, size_, flags_);
    size_t sent = 0;
    while (sent < size_) {
        wait_write (fd_);
        const ssize_t n =
          __real_send (fd_, (const char *) buf_ + sent, size_ - sent, flags_);
        if (n == -1 && errno == EAGAIN)
            continue;
        if (n == -1)
            return sent ? (ssize_t) sent : -1;
        sent += n;
    }
    return sent;
}

ssize_t __wrap_read (int fd_, void *buf_, size_t size_)
{
    return __wrap_recv (fd_, buf_, size_, 0);
}

ssize_t __wrap_write (int fd_, const void *buf_, size_t size_)
{
    return __wrap_send (fd_, buf_, size_, 0);
}

struct poll_t
{
    pollfd *fds;
    nfds_t count;
};

static bool scan (void *arg_)
{
    poll_t *const it = (poll_t *) arg_;
    bool any = false;
    for (nfds_t i = 0; i < it->count; i++) {
        pollfd *const p = &it->fds[i];
        p->revents = 0;
        if (p->fd < 0)
            continue;
        if (!is_open (p->fd))
            p->revents = POLLNVAL;
        else {
            const zw::fd_entry_t *const e = zw::entry (p->fd);
            if (p->events & POLLIN && zw::readable (e))
                p->revents |= POLLIN;
            if (p->events & POLLOUT && zw::writable (e))
                p->revents |= POLLOUT;
            if (e->kind == zw::stream_fd && e->error)
                p->revents |= POLLERR;
            if (e->kind == zw::fresh_fd && kinds ()[p->fd].type == SOCK_STREAM)
                p->revents |= POLLHUP | (p->events & POLLOUT);
        }
        any = any || p->revents;
    }
    return any;
}

int __wrap_poll (pollfd *fds_, nfds_t count_, int timeout_)
{
    poll_t it = {fds_, count_};
    if (timeout_ == 0)
        breathe ();
    wait_until (scan, &it, timeout_);
    int n = 0;
    for (nfds_t i = 0; i < count_; i++)
        n += fds_[i].revents != 0;
    return n;
}

int __real_setsockopt (int, int, int, const void *, socklen_t);

//  A membership is the product's own business, on its I/O side: the programs'
//  sockets cannot join a group, so that they find multicast not available.
int __wrap_setsockopt (
  int fd_, int level_, int name_, const void *value_, socklen_t size_)
{
    if (may_block ()
        && ((level_ == IPPROTO_IP && name_ == IP_ADD_MEMBERSHIP)
            || (level_ == IPPROTO_IPV6 && name_ == IPV6_ADD_MEMBERSHIP)))
        return fail (ENOPROTOOPT);
    return __real_setsockopt (fd_, level_, name_, value_, size_);
}

int __real_getpeername (int, sockaddr *, socklen_t *);

int __wrap_getpeername (int fd_, sockaddr *addr_, socklen_t *size_)
{
    return is_open (fd_) ? __real_getpeername (fd_, addr_, size_) : fail (EBADF);
}

//  --- the rest

//  The product's own takes no service: libzmq never names one.
int __wrap_getaddrinfo (const char *node_,
                        const char *service_,
                        const addrinfo *hints_,
                        addrinfo **out_)
{
    const int rc = __real_getaddrinfo (node_, NULL, hints_, out_);
    if (rc == 0 && service_)
        ((sockaddr_in *) (*out_)->ai_addr)->sin_port = htons (atoi (service_));
    return rc;
}

char *__wrap_mkdtemp (char *template_)
{
    const int rc = test_mkdtemp (template_, strlen (template_));
    if (rc < 0) {
        errno = -rc;
        return NULL;
    }
    return template_;
}
}
