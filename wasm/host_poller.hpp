/*  A poller without a loop and without a thread: readiness is pushed by the
    host (fd_table.hpp) and by signalers, and zw_pump() drains it.  */
#ifndef ZW_HOST_POLLER_HPP
#define ZW_HOST_POLLER_HPP

#include "poller_base.hpp"
#include "fd.hpp"

namespace zmq
{
struct i_poll_events;

class host_poller_t ZMQ_FINAL : public poller_base_t
{
  public:
    //  What one registered fd waits for. Lives in the fd's table entry as
    //  `watch` from add_fd to rm_fd; freed after the pass in which it retired.
    struct watch_t
    {
        fd_t fd;
        i_poll_events *events;
        host_poller_t *owner;
        watch_t *next; //  in the ready list, or in the list of the retired
        bool want_in, want_out, queued, retired;
    };
    typedef watch_t *handle_t;

    host_poller_t (const thread_ctx_t &ctx_);
    ~host_poller_t ();

    handle_t add_fd (fd_t fd_, i_poll_events *events_);
    void rm_fd (handle_t handle_);
    void set_pollin (handle_t handle_);
    void reset_pollin (handle_t handle_);
    void set_pollout (handle_t handle_);
    void reset_pollout (handle_t handle_);
    void start (const char *name_ = NULL);
    void stop () {}
    static int max_fds () { return -1; }

    //  These hide the base's, to learn that the nearest deadline changed.
    void add_timer (int timeout_, i_poll_events *sink_, int id_);
    void cancel_timer (i_poll_events *sink_, int id_);

    //  Puts the fd's watch on the ready list if it has what it waits for.
    static void notify (fd_t fd_);

    //  Runs due timers and everything on the ready list, until both are empty
    //  or `budget_` events were handled, or the time of one pump is up.
    enum pumped_t
    {
        pumped_all,
        pumped_some,
        time_is_up
    };
    static pumped_t pump (int budget_);

    //  What happens in this pump makes sockets take so many bytes of memory after it;
    //  it ends before that is much.
    static void owe (size_t bytes_);

    //  Milliseconds to the nearest timer of any poller, or 0 if there is none.
    static unsigned next_timer ();

  private:
    static void dispatch (watch_t *watch_);
    static void ask (watch_t *watch_);
    static void serve_next ();
    static void collect ();

    host_poller_t *_next_poller;

    ZMQ_NON_COPYABLE_NOR_MOVABLE (host_poller_t)
};

typedef host_poller_t poller_t;
}

#endif
