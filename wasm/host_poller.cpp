#include "precompiled.hpp"
#include "host_poller.hpp"
#include "fd_table.hpp"
#include "i_poll_events.hpp"
#include "err.hpp"

//  How often one fd may be served before the others get their turn.
static const int events_per_fd = 16;

static zmq::host_poller_t *pollers = NULL;
static zmq::host_poller_t::watch_t *ready_first = NULL, *ready_last = NULL;
static zmq::host_poller_t::watch_t *retired_list = NULL;
static bool pumping = false;

//  Timers are looked at only when one was added or may be due.
static bool timers_changed = false;
static double deadline = 0; //  of host_now(), 0 means none

//  Milliseconds after which a pump ends, at the next look at the clock.
static const double pump_ms = 2;
//  When the pump that runs has had them; 0 if it has to end.
static double end;

//  What sockets are going to take for it.
static size_t owed;

#include "imports.h"

extern "C" size_t zw_memory_limit ();

zmq::host_poller_t::host_poller_t (const thread_ctx_t &) :
    _next_poller (pollers)
{
    pollers = this;
}

zmq::host_poller_t::~host_poller_t ()
{
    //  ctx_t deletes its I/O threads right after asking them to stop; with a
    //  thread of its own a poller would finish its work before it is joined.
    while (get_load () > 0 && ready_first)
        serve_next ();
    collect ();
    for (host_poller_t **it = &pollers; *it; it = &(*it)->_next_poller)
        if (*it == this) {
            *it = _next_poller;
            break;
        }
}

zmq::host_poller_t::handle_t zmq::host_poller_t::add_fd (fd_t fd_,
                                                         i_poll_events *events_)
{
    watch_t *const watch = new watch_t ();
    watch->fd = fd_;
    watch->events = events_;
    watch->owner = this;
    zw::entry (fd_)->watch = watch;
    adjust_load (1);
    return watch;
}

void zmq::host_poller_t::rm_fd (handle_t handle_)
{
    zmq_assert (!handle_->retired);
    handle_->retired = true;
    zw::entry (handle_->fd)->watch = NULL;
    adjust_load (-1);
    //  It may be in the ready list or being dispatched: freed by collect().
    if (!handle_->queued) {
        handle_->next = retired_list;
        retired_list = handle_;
    }
}

void zmq::host_poller_t::set_pollin (handle_t handle_)
{
    handle_->want_in = true;
    notify (handle_->fd);
}

void zmq::host_poller_t::reset_pollin (handle_t handle_)
{
    handle_->want_in = false;
}

void zmq::host_poller_t::set_pollout (handle_t handle_)
{
    handle_->want_out = true;
    notify (handle_->fd);
}

void zmq::host_poller_t::reset_pollout (handle_t handle_)
{
    handle_->want_out = false;
}

void zmq::host_poller_t::start (const char *)
{
}

void zmq::host_poller_t::add_timer (int timeout_, i_poll_events *sink_, int id_)
{
    poller_base_t::add_timer (timeout_, sink_, id_);
    timers_changed = true;
}

//  Without this the host's timer of, say, a handshake would stay armed for half a
//  minute after the last socket was closed.
void zmq::host_poller_t::cancel_timer (i_poll_events *sink_, int id_)
{
    poller_base_t::cancel_timer (sink_, id_);
    timers_changed = true;
}

void zmq::host_poller_t::notify (fd_t fd_)
{
    const zw::fd_entry_t *const e = zw::entry (fd_);
    watch_t *const watch = e->watch;
    if (!watch || watch->queued)
        return;
    if (!(watch->want_in && zw::readable (e))
        && !(watch->want_out && zw::writable (e)))
        return;
    watch->queued = true;
    watch->next = NULL;
    if (ready_last)
        ready_last->next = watch;
    else
        ready_first = watch;
    ready_last = watch;
}

void zmq::host_poller_t::dispatch (watch_t *watch_)
{
    for (int i = 0; i < events_per_fd && !watch_->retired; i++) {
        bool idle = true;
        if (watch_->want_out && zw::writable (zw::entry (watch_->fd))) {
            watch_->events->out_event ();
            idle = false;
        }
        if (!watch_->retired && watch_->want_in
            && zw::readable (zw::entry (watch_->fd))) {
            watch_->events->in_event ();
            idle = false;
        }
        if (idle)
            break;
        //  Each may write a megabyte; the clock is not for nothing either.
        if (!end || (i % 4 == 3 && host_now () >= end))
            break;
    }
    if (!watch_->retired) {
        ask (watch_);
        notify (watch_->fd);
    }
}

//  Another read, of nothing: where large messages come, libzmq tells with it where the
//  rest of the next one belongs, and the host can read it to there.
void zmq::host_poller_t::ask (watch_t *watch_)
{
    zw::fd_entry_t *const e = zw::entry (watch_->fd);
    if (!e->asks || !watch_->want_in || zw::readable (e))
        return;
    e->asks--;
    watch_->events->in_event ();
}

void zmq::host_poller_t::serve_next ()
{
    watch_t *const watch = ready_first;
    ready_first = watch->next;
    if (!ready_first)
        ready_last = NULL;
    watch->queued = false;
    if (watch->retired) {
        //  rm_fd left it to us because it was queued.
        watch->next = retired_list;
        retired_list = watch;
    } else
        dispatch (watch);
}

void zmq::host_poller_t::collect ()
{
    while (retired_list) {
        watch_t *const watch = retired_list;
        retired_list = watch->next;
        delete watch;
    }
}

zmq::host_poller_t::pumped_t zmq::host_poller_t::pump (int budget_)
{
    if (pumping)
        return pumped_all;
    pumping = true;
    zw::lose_late ();
    //  Events differ: one may encrypt a megabyte.
    end = host_now () + pump_ms;
    owed = 0;
    do {
        if (deadline && host_now () >= deadline)
            timers_changed = true;
        while (timers_changed) {
            timers_changed = false;
            deadline = 0;
            for (host_poller_t *it = pollers; it; it = it->_next_poller) {
                const uint64_t wait = it->execute_timers ();
                if (wait) {
                    const double due = host_now () + static_cast<double> (wait);
                    if (!deadline || due < deadline)
                        deadline = due;
                }
            }
        }
        while (ready_first && budget_-- > 0) {
            serve_next ();
            if (host_now () >= end)
                budget_ = 0;
        }
        collect ();
    } while (timers_changed && budget_ > 0);
    pumping = false;
    //  Of a timer that the last event added, next_timer() does not know yet.
    if (!ready_first && !timers_changed)
        return pumped_all;
    return host_now () < end ? pumped_some : time_is_up;
}

void zmq::host_poller_t::owe (size_t bytes_)
{
    owed += bytes_;
    if (owed > zw_memory_limit () / 32)
        end = 0;
}

unsigned zmq::host_poller_t::next_timer ()
{
    const double late = zw::next_late ();
    const double due =
      !deadline || (late && late < deadline) ? late : deadline;
    if (!due)
        return 0;
    const double wait = due - host_now ();
    return wait < 1 ? 1 : static_cast<unsigned> (wait) + 1;
}
