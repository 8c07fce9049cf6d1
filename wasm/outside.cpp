/*  inproc to other threads, which have instances of their own: for libzmq a
    connection over ipc, with paths that no file can have.
    patches/0005-inproc-outside.patch says why, and declares the members.  */
#include "precompiled.hpp"
#include <errno.h>
#include <new>
#include <string>

#include "address.hpp"
#include "ctx.hpp"
#include "err.hpp"
#include "io_thread.hpp"
#include "ipc_address.hpp"
#include "ipc_listener.hpp"
#include "msg.hpp"
#include "pipe.hpp"
#include "session_base.hpp"
#include "socket_base.hpp"
#include "show.hpp"

struct written_t
{
    typedef uint64_t zmq::pipe_t::*type;
    friend type look (written_t);
};
template struct show_t<written_t, &zmq::pipe_t::_msgs_written>;

struct peer_t
{
    typedef zmq::pipe_t *zmq::pipe_t::*type;
    friend type look (peer_t);
};
template struct show_t<peer_t, &zmq::pipe_t::_peer>;

struct sink_t
{
    typedef zmq::i_pipe_events *zmq::pipe_t::*type;
    friend type look (sink_t);
};
template struct show_t<sink_t, &zmq::pipe_t::_sink>;

struct engine_of_t
{
    typedef zmq::i_engine *zmq::session_base_t::*type;
    friend type look (engine_of_t);
};
template struct show_t<engine_of_t, &zmq::session_base_t::_engine>;

static const char outside[] = "ipc:///dev/null/";

bool zmq::socket_base_t::is_outside (const endpoint_uri_pair_t &pair_)
{
    return pair_.identifier ().compare (0, sizeof outside - 1, outside) == 0;
}

//  What libzmq ignores for inproc.
static zmq::options_t options_outside (const zmq::options_t &options_)
{
    zmq::options_t options = options_;
    options.mechanism = ZMQ_NULL;
    options.as_server = 0;
    options.zap_domain.clear ();
    options.zap_enforce_domain = false;
    options.socks_proxy_address.clear ();
    options.immediate = 0;
    options.maxmsgsize = -1;
    options.connect_timeout = 0;
    //  The other thread may be busy for any time.
    options.handshake_ivl = 0;
    options.reconnect_stop = 0;
    options.affinity = 0;
    return options;
}

int zmq::socket_base_t::bind_outside (const char *path_)
{
    if (process_commands (0, false) != 0)
        return -1;
    ipc_listener_t *const listener = new (std::nothrow) ipc_listener_t (
      choose_io_thread (0), this, options_outside (options));
    alloc_assert (listener);
    if (listener->set_local_address (path_) != 0) {
        delete listener;
        return -1;
    }
    std::string endpoint;
    listener->get_local_address (endpoint);
    add_endpoint (make_unconnected_bind_endpoint_pair (endpoint),
                  static_cast<own_t *> (listener), NULL);
    return 0;
}

//  As ctx_t::connect_inproc_sockets does it, with a session for the peer: what
//  was sent already is in the pipe and stays there.
int zmq::socket_base_t::connect_outside (const char *inproc_uri_,
                                         const char *path_)
{
    pipe_t *pipes[2];
    if (process_commands (0, false) != 0)
        return -1;
    if (!get_ctx ()->take_pending (inproc_uri_, this, pipes)) {
        errno = ENOENT;
        return -1;
    }
    //  The session tells the routing id its own way.
    msg_t msg;
    const bool ok = pipes[1]->read (&msg);
    zmq_assert (ok);
    const int rc = msg.close ();
    errno_assert (rc == 0);

    address_t *const address = new (std::nothrow)
      address_t (protocol_name::ipc, path_, this->get_ctx ());
    alloc_assert (address);
    address->resolved.ipc_addr = new (std::nothrow) ipc_address_t ();
    alloc_assert (address->resolved.ipc_addr);
    const int resolved = address->resolved.ipc_addr->resolve (path_);
    errno_assert (resolved == 0);
    session_base_t *const session =
      session_base_t::create (choose_io_thread (0), true, this,
                              options_outside (options), address);
    errno_assert (session);
    pipes[1]->set_tid (session->get_tid ());
    session->attach_pipe (pipes[1]);
    send_inproc_connected (this);
    add_endpoint (make_unconnected_connect_endpoint_pair (
                    std::string ("ipc://") + path_),
                  static_cast<own_t *> (session), pipes[0]);
    //  Owns the session before anything else happens: if the socket closes now,
    //  its linger holds for it.
    return process_commands (0, false);
}

//  The other end of a connection that nobody will bind.
struct nobody_t ZMQ_FINAL : zmq::i_pipe_events
{
    void read_activated (zmq::pipe_t *) ZMQ_OVERRIDE {}
    void write_activated (zmq::pipe_t *) ZMQ_OVERRIDE {}
    void hiccuped (zmq::pipe_t *) ZMQ_OVERRIDE {}
    void pipe_terminated (zmq::pipe_t *) ZMQ_OVERRIDE {}
};
static nobody_t nobody;

//  Ends a connection of this socket, which may be closed, that waits for a bind. Its other end
//  belongs to the socket as well until then.
bool zmq::socket_base_t::part (const char *inproc_uri_)
{
    pipe_t *pipes[2];
    if (!get_ctx ()->take_pending (inproc_uri_, this, pipes))
        return false;
    pipes[1]->set_event_sink (&nobody);
    pipes[1]->terminate (false);
    send_inproc_connected (this);
    return true;
}

//  Ends connections of this socket, which may be closed, to threads that have not met them yet,
//  as the session does when its linger is over.
void zmq::socket_base_t::forsake ()
{
    for (pipes_t::size_type i = 0; i != _pipes.size (); ++i) {
        if (!is_outside (_pipes[i]->get_endpoint_pair ()))
            continue;
        pipe_t *const other = _pipes[i]->*look (peer_t ());
        i_pipe_events *const sink = other ? other->*look (sink_t ()) : NULL;
        if (sink && !(static_cast<session_base_t *> (sink)->*look (engine_of_t ())))
            other->terminate (false);
    }
}

int zmq::socket_base_t::unmet (const char *inproc_uri_)
{
    return get_ctx ()->count_pending (inproc_uri_, this);
}

//  Takes a connection of the socket that waits for a bind: pipes_ as
//  pend_connection got them.
bool zmq::ctx_t::take_pending (const std::string &addr_,
                               const socket_base_t *socket_,
                               pipe_t **pipes_)
{
    scoped_lock_t locker (_endpoints_sync);

    pending_connections_t::iterator p = _pending_connections.lower_bound (addr_);
    for (; p != _pending_connections.end () && p->first == addr_; ++p)
        if (p->second.endpoint.socket == socket_) {
            pipes_[0] = p->second.connect_pipe;
            pipes_[1] = p->second.bind_pipe;
            _pending_connections.erase (p);
            return true;
        }
    return false;
}

//  Messages in those connections, of which none has been read, or -1 if there are none.
int zmq::ctx_t::count_pending (const std::string &addr_,
                               const socket_base_t *socket_)
{
    scoped_lock_t locker (_endpoints_sync);

    bool found = false;
    uint64_t count = 0;
    pending_connections_t::iterator p = _pending_connections.lower_bound (addr_);
    for (; p != _pending_connections.end () && p->first == addr_; ++p)
        if (p->second.endpoint.socket == socket_) {
            found = true;
            count += p->second.connect_pipe->*look (written_t ());
        }
    return found ? (int) count : -1;
}

extern "C" {

//  Listens at a path for other threads. The host has a listener ready there.
int zw_bind_outside (void *socket_, const char *path_)
{
    zmq::socket_base_t *const socket =
      static_cast<zmq::socket_base_t *> (socket_);
    return socket->bind_outside (path_) == 0 ? 0 : -errno;
}

//  How many messages of the socket wait for somebody to bind this name; -1 if it does not
//  wait for that.
int zw_unmet (void *socket_, const char *uri_)
{
    return static_cast<zmq::socket_base_t *> (socket_)->unmet (uri_);
}

//  What the socket sends to other threads that have not met it yet is lost.
void zw_forsake (void *socket_)
{
    static_cast<zmq::socket_base_t *> (socket_)->forsake ();
}

//  The socket waits no more, and its messages are lost.
void zw_part (void *socket_, const char *uri_)
{
    while (static_cast<zmq::socket_base_t *> (socket_)->part (uri_))
        ;
}

//  Connects through the host what waits for a bind in this thread. Returns
//  -ENOENT if nothing does.
int zw_connect_outside (void *socket_, const char *uri_, const char *path_)
{
    zmq::socket_base_t *const socket =
      static_cast<zmq::socket_base_t *> (socket_);
    return socket->connect_outside (uri_, path_) == 0 ? 0 : -errno;
}
}
