/*  What TypeScript may call besides libzmq's own functions, but for messages
    (messages.cpp): contexts, sockets, the pump, what happened to an fd. Flat, and
    without out-parameters where possible. Functions that can fail return -errno.  */
#include "precompiled.hpp"
#include <malloc.h>
#include <errno.h>
#include <stdlib.h>
#include <map>
#include <new>
#include <vector>

#include "zmq.h"
#include "ctx.hpp"
#include "err.hpp"
#include "signaler.hpp"
#include "socket_base.hpp"
#include "fd_table.hpp"
#include "imports.h"
#include "messages.hpp"
#include "names.hpp"
#include "show.hpp"

//  One write to the host costs microseconds, so engines gather more than
//  libzmq's 8 KiB before they make one.
static const int out_batch_size = 65536;

//  Slots of application sockets that were signalled, each at most once.
static std::vector<unsigned> ready_slots;
static std::vector<char> slot_queued; //  not bool: its vector is 2 KB of code
//  Slots whose socket is gone.
static std::vector<unsigned> gone_slots;

void zw::app_ready (unsigned slot_)
{
    if (slot_ >= slot_queued.size ())
        slot_queued.resize (slot_ + 1);
    if (slot_queued[slot_])
        return;
    slot_queued[slot_] = true;
    ready_slots.push_back (slot_);
}

//  The signalers of thread-safe sockets (the draft types).
typedef std::map<void *, zmq::signaler_t *> signalers_t;
static signalers_t signalers;

//  libzmq does not tell how many sockets a context has.
struct ctx_sockets_t
{
    typedef zmq::array_t<zmq::socket_base_t> zmq::ctx_t::*type;
    friend type look (ctx_sockets_t);
};
template struct show_t<ctx_sockets_t, &zmq::ctx_t::_sockets>;

//  The options of a socket.
struct own_options_t
{
    typedef zmq::options_t zmq::own_t::*type;
    friend type look (own_options_t);
};
template struct show_t<own_options_t, &zmq::own_t::options>;

void zw::app_gone (unsigned slot_)
{
    gone_slots.push_back (slot_);
    zw::forget_properties ();
}

bool zw::is_there (void *ctx_, const void *socket_)
{
    zmq::array_t<zmq::socket_base_t> &sockets =
      static_cast<zmq::ctx_t *> (ctx_)->*look (ctx_sockets_t ());
    for (size_t i = 0; i != sockets.size (); i++)
        if (sockets[i] == socket_)
            return true;
    return false;
}

extern "C" {

//  sodium_glue.c
void zw_wipe_stack_if_used ();
int zw_scarce (size_t size_);

//  Without it, the C++ library ends the module when new finds no memory, and does not say why.
static void no_memory ()
{
    alloc_assert (NULL);
}

//  libzmq draws routing ids and jitter from rand() and never seeds it.
void *zw_ctx_new (unsigned seed_)
{
    std::set_new_handler (no_memory);
    srand (seed_);
    return zmq_ctx_new ();
}

//  The socket's events are announced under `slot` (zw_next_ready).
void *zw_socket (void *ctx_, int type_, unsigned slot_)
{
    void *const socket = zmq_socket (ctx_, type_);
    if (!socket)
        return NULL;
    zmq::socket_base_t *const base = static_cast<zmq::socket_base_t *> (socket);
    //  Not by zmq_setsockopt: engines compile a function when it is first called, and
    //  that one is large.
    zmq::options_t &options = base->*look (own_options_t ());
    options.in_batch_size = ZW_IN_BATCH_SIZE;
    options.out_batch_size = out_batch_size;
    int fd;
    size_t size = sizeof fd;
    if (base->is_thread_safe ()) {
        //  These have no descriptor, but tell signalers, and forget them when
        //  they are closed.
        zmq::signaler_t *const signaler = new (std::nothrow) zmq::signaler_t;
        alloc_assert (signaler);
        signalers[socket] = signaler;
        base->add_signaler (signaler);
        fd = signaler->get_fd ();
    } else
        zmq_getsockopt (socket, ZMQ_FD, &fd, &size);
    zw::entry (fd)->slot = slot_ + 1;
    return socket;
}

void zw_close (void *socket_)
{
    zmq_close (socket_);
    const signalers_t::iterator it = signalers.find (socket_);
    if (it != signalers.end ()) {
        delete it->second;
        signalers.erase (it);
    }
}

//  --- the pump

//  Returns 1 if work is left, 2 if it is because time is up.
int zw_pump (int budget_)
{
    const int pumped = zmq::host_poller_t::pump (budget_);
    zw_wipe_stack_if_used ();
    return pumped;
}

unsigned zw_next_timer ()
{
    return zmq::host_poller_t::next_timer ();
}

//  The slot of the next application socket that was signalled; -2 - slot if one
//  is gone; -1 if there is nothing to tell.
int zw_next_ready ()
{
    if (ready_slots.empty ()) {
        if (gone_slots.empty ())
            return -1;
        const int slot = gone_slots.back ();
        gone_slots.pop_back ();
        return -2 - slot;
    }
    const unsigned slot = ready_slots.back ();
    ready_slots.pop_back ();
    slot_queued[slot] = false;
    return slot;
}

//  --- what happened to an fd

//  `size_` more bytes arrived, which host_read will ask for.
void zw_input (int fd_, int size_)
{
    zw::entry (fd_)->input_size += size_;
    zmq::host_poller_t::notify (fd_);
}

void zw_connected (int fd_)
{
    zw::fd_entry_t *const e = zw::entry (fd_);
    e->connected = e->writable = true;
    zmq::host_poller_t::notify (fd_);
}

void zw_writable (int fd_)
{
    zw::entry (fd_)->writable = true;
    zmq::host_poller_t::notify (fd_);
}

void zw_eof (int fd_)
{
    zw::entry (fd_)->eof = true;
    zmq::host_poller_t::notify (fd_);
}

//  errno must be one that libzmq takes for a failure of the network.
void zw_failed (int fd_, int errno_)
{
    zw::entry (fd_)->error = errno_;
    zmq::host_poller_t::notify (fd_);
}

//  A connection was accepted: returns its fd, or -errno.
int zw_incoming (int listener_)
{
    if (zw_scarce (0))
        return -ENFILE;
    const int fd = zw::allocate (zw::stream_fd, zw::entry (listener_)->family);
    if (fd == -1)
        return -errno;
    zw::fd_entry_t *const e = zw::entry (listener_);
    zw::entry (fd)->connected = zw::entry (fd)->writable = true;
    if (e->family == AF_UNIX) {
        zw::entry (fd)->local = e->local;
        zw::entry (fd)->local_size = e->local_size;
    }
    if (e->accept_last)
        zw::entry (e->accept_last)->accept_next = fd;
    else
        e->accept_first = fd;
    e->accept_last = fd;
    zw::await_handshake (listener_, fd);
    zmq::host_poller_t::notify (listener_);
    return fd;
}

//  Our (0) or the peer's (1) address of a connection, from an IP literal;
//  an empty host means ipc,
//  where the path is known already at the end that has one.
void zw_set_address (int fd_, int peer_, const char *host_, int port_)
{
    zw::fd_entry_t *const e = zw::entry (fd_);
    sockaddr_storage *const addr = peer_ ? &e->peer : &e->local;
    socklen_t *const size = peer_ ? &e->peer_size : &e->local_size;
    if (*host_)
        *size = zw::to_sockaddr (host_, port_, e->family, addr);
    else if (!*size) {
        addr->ss_family = AF_UNIX;
        *size = 3;
    }
}

//  Sockets that exist: open ones, and closed ones not done with sending.
int zw_sockets (void *ctx_)
{
    return (static_cast<zmq::ctx_t *> (ctx_)->*look (ctx_sockets_t ())).size ();
}

//  Bytes that malloc has handed out.
unsigned zw_heap_used ()
{
    return mallinfo ().uordblks;
}
}
