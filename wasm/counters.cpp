/*  What sockets count: connections as they come and go, and what waits in their
    pipes when somebody asks. patches/0006-counters.patch declares the members;
    TypeScript counts the messages that it sends and receives itself.  */
#include "precompiled.hpp"
#include <algorithm>
#include <deque>

#include "zmq.h"
#include "dish.hpp"
#include "pipe.hpp"
#include "router.hpp"
#include "socket_base.hpp"
#include "stream.hpp"
#include "xpub.hpp"
#include "xsub.hpp"
#include "fd_table.hpp"
#include "show.hpp"

//  Whether a socket has taken a message out of its pipe to have a look, and which.
template <typename T> struct has_t
{
    typedef bool T::*type;
    friend type look (has_t);
};
template <typename T> struct msg_in_t
{
    typedef zmq::msg_t T::*type;
    friend type look (msg_in_t);
};
template struct show_t<has_t<zmq::xsub_t>, &zmq::xsub_t::_has_message>;
template struct show_t<msg_in_t<zmq::xsub_t>, &zmq::xsub_t::_message>;
template struct show_t<has_t<zmq::dish_t>, &zmq::dish_t::_has_message>;
template struct show_t<msg_in_t<zmq::dish_t>, &zmq::dish_t::_message>;
template struct show_t<has_t<zmq::router_t>, &zmq::router_t::_prefetched>;
template struct show_t<msg_in_t<zmq::router_t>, &zmq::router_t::_prefetched_msg>;
template struct show_t<has_t<zmq::stream_t>, &zmq::stream_t::_prefetched>;
template struct show_t<msg_in_t<zmq::stream_t>, &zmq::stream_t::_prefetched_msg>;

//  The subscriptions that an XPUB has noted and not told of.
struct xpub_pending_t
{
    typedef std::deque<zmq::blob_t> zmq::xpub_t::*type;
    friend type look (xpub_pending_t);
};
template struct show_t<xpub_pending_t, &zmq::xpub_t::_pending_data>;

//  Of all sockets, with those that are gone.
static unsigned connections, made, retried;

//  Here and not where the engine says so, for engines end in several ways.
void zw::count_connection (void *socket_, int change_)
{
    zmq::socket_base_t *const socket =
      static_cast<zmq::socket_base_t *> (socket_);
    socket->counters.connections += change_;
    connections += change_;
    if (change_ < 0)
        return;
    socket->counters.made++;
    made++;
}

void zmq::socket_base_t::count_retry ()
{
    counters.retried++;
    retried++;
}

//  Whole messages that the other end has not read yet. Its own count is exact,
//  while _peers_msgs_read comes late. It exists in these states only. Of a
//  conflating pipe the counts do not tell how much is in it.
void zmq::pipe_t::count_queued (uint64_t *out_, uint64_t *in_) const
{
    if (_conflate || !_peer
        || (_state != active && _state != delimiter_received
            && _state != waiting_for_delimiter && _state != term_req_sent1))
        return;
    if (_msgs_written > _peer->_msgs_read)
        *out_ += _msgs_written - _peer->_msgs_read;
    if (_peer->_msgs_written > _msgs_read)
        *in_ += _peer->_msgs_written - _msgs_read;
}

//  A message of which more frames are to come counts in its pipe.
template <typename T> static unsigned count_ahead (zmq::socket_base_t *socket_)
{
    T *const socket = static_cast<T *> (socket_);
    return socket->*look (has_t<T> ())
           && !((socket->*look (msg_in_t<T> ())).flags () & zmq::msg_t::more);
}

void zmq::socket_base_t::count_queued (uint64_t *out_, uint64_t *in_)
{
    for (pipes_t::size_type i = 0; i != _pipes.size (); i++)
        _pipes[i]->count_queued (out_, in_);
    switch (options.type) {
        case ZMQ_SUB:
        case ZMQ_XSUB:
            *in_ += count_ahead<xsub_t> (this);
            break;
        case ZMQ_DISH:
            *in_ += count_ahead<dish_t> (this);
            break;
        case ZMQ_REP:
        case ZMQ_ROUTER:
            *in_ += count_ahead<router_t> (this);
            break;
        case ZMQ_STREAM:
            *in_ += count_ahead<stream_t> (this);
            break;
        case ZMQ_XPUB:
            *in_ += (static_cast<xpub_t *> (this)->*look (xpub_pending_t ())).size ();
            break;
    }
}

extern "C" {

//  Messages to send and to receive that wait in the socket's pipes; messages and
//  bytes sent and received by zw_forward; connections now, ever, and attempts to
//  make one again. Returns 0 and no counters when the socket is gone.
int zw_counters (void *ctx_, zmq::socket_base_t *socket_, double *out_)
{
    if (!zw::is_there (ctx_, socket_))
        return 0;
    const zmq::socket_base_t::counters_t &counters = socket_->counters;
    uint64_t out = 0, in = 0;
    socket_->count_queued (&out, &in);
    const double values[] = {
      (double) out,
      (double) in,
      (double) counters.messages_sent,
      (double) counters.bytes_sent,
      (double) counters.messages_received,
      (double) counters.bytes_received,
      (double) counters.connections,
      (double) counters.made,
      (double) counters.retried};
    std::copy (values, values + sizeof values / sizeof *values, out_);
    return 1;
}

//  The last three for all sockets that there ever were.
int zw_total_counters (double *out_)
{
    out_[0] = connections;
    out_[1] = made;
    out_[2] = retried;
    return 1;
}
}
