/*  Replaces libzmq's signaler.cpp (same header): a wake-up inside the process
    is a counter in the fd table, and never crosses to JavaScript.  */
#include "precompiled.hpp"
#include "signaler.hpp"
#include "fd_table.hpp"
#include "err.hpp"

zmq::signaler_t::signaler_t () : _w (zw::allocate (zw::signal_fd, 0)), _r (_w)
{
}

zmq::signaler_t::~signaler_t ()
{
    if (_r != retired_fd)
        zw::release (_r);
}

zmq::fd_t zmq::signaler_t::get_fd () const
{
    return _r;
}

void zmq::signaler_t::send ()
{
    zw::fd_entry_t *const e = zw::entry (_w);
    e->signals++;
    if (e->watch)
        host_poller_t::notify (_w);
    else if (e->slot)
        zw::app_ready (e->slot - 1);
}

//  Nothing may block: a wait without a signal fails at once. EINTR is what
//  libzmq accepts of a wait that was to last, EAGAIN of one that was not.
int zmq::signaler_t::wait (int timeout_) const
{
    if (zw::entry (_r)->signals)
        return 0;
    errno = timeout_ == 0 ? EAGAIN : EINTR;
    return -1;
}

void zmq::signaler_t::recv ()
{
    const int rc = recv_failable ();
    errno_assert (rc == 0);
}

int zmq::signaler_t::recv_failable ()
{
    zw::fd_entry_t *const e = zw::entry (_r);
    if (!e->signals) {
        errno = EAGAIN;
        return -1;
    }
    e->signals--;
    return 0;
}

bool zmq::signaler_t::valid () const
{
    return _w != retired_fd;
}
