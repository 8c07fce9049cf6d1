/*  What a socket knows of its pipes when it neither sends nor receives.  */
#include "precompiled.hpp"
#include <set>
#include <string>

#include "zmq.h"
#include "dish.hpp"
#include "msg.hpp"
#include "socket_base.hpp"
#include "xsub.hpp"
#include "show.hpp"

//  What a SUB and a DISH let through.
struct sub_match_t
{
    typedef bool (zmq::xsub_t::*type) (zmq::msg_t *);
    friend type look (sub_match_t);
};
template struct show_t<sub_match_t, &zmq::xsub_t::match>;
struct dish_groups_t
{
    typedef std::set<std::string> zmq::dish_t::*type;
    friend type look (dish_groups_t);
};
template struct show_t<dish_groups_t, &zmq::dish_t::_subscriptions>;

//  A socket looks after its pipes when it is used, and in no other way.
struct sub_pipes_t
{
    typedef zmq::fq_t zmq::xsub_t::*type;
    friend type look (sub_pipes_t);
};
template struct show_t<sub_pipes_t, &zmq::xsub_t::_fq>;
struct dish_pipes_t
{
    typedef zmq::fq_t zmq::dish_t::*type;
    friend type look (dish_pipes_t);
};
template struct show_t<dish_pipes_t, &zmq::dish_t::_fq>;
struct socket_commands_t
{
    typedef int (zmq::socket_base_t::*type) (int, bool);
    friend type look (socket_commands_t);
};
template struct show_t<socket_commands_t,
                       &zmq::socket_base_t::process_commands>;

extern "C" {

//  ZMQ_EVENTS; reading it also drains the socket's mailbox.
int zw_events (void *socket_)
{
    int events = 0;
    size_t size = sizeof events;
    const int rc = zmq_getsockopt (socket_, ZMQ_EVENTS, &events, &size);
    return rc == -1 ? -zmq_errno () : events;
}

//  Has the socket look after its pipes: it learns of new ones, and lets go of those that have
//  ended. Asked for their events a SUB and a DISH would take a message out, to see whether they
//  want it, and give that one later: but of some the last is wanted, or none any more.
void zw_look (void *socket_, int type_)
{
    if (type_ != ZMQ_SUB && type_ != ZMQ_XSUB && type_ != ZMQ_DISH) {
        zw_events (socket_);
        return;
    }
    zmq::socket_base_t *const socket =
      static_cast<zmq::socket_base_t *> (socket_);
    (socket->*look (socket_commands_t ())) (0, false);
    if (type_ == ZMQ_DISH)
        (static_cast<zmq::dish_t *> (socket)->*look (dish_pipes_t ())).has_in ();
    else
        (static_cast<zmq::xsub_t *> (socket)->*look (sub_pipes_t ())).has_in ();
}

//  Whether the socket would still receive what it has given away already: for a SUB
//  a message that begins so, as far as topics go, for a DISH one of this group, a C string.
int zw_wants (void *socket_, int type_, void *data_, unsigned size_)
{
    zmq::socket_base_t *const base = static_cast<zmq::socket_base_t *> (socket_);
    if (type_ == ZMQ_DISH)
        return (static_cast<zmq::dish_t *> (base)->*look (dish_groups_t ()))
          .count (static_cast<const char *> (data_));
    zmq::msg_t msg;
    msg.init_data (data_, size_, NULL, NULL);
    return (static_cast<zmq::xsub_t *> (base)->*look (sub_match_t ())) (&msg);
}
}
