/*  Where zmq_bind would listen or receive. TypeScript asks before it calls
    zmq_bind, because a host can only listen asynchronously.  */
#include "precompiled.hpp"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <string>

#include "zmq.h"
#include "ipc_address.hpp"
#include "fd_table.hpp"
#include "names.hpp"
#include "tcp_address.hpp"
#include "udp_address.hpp"
#include "ws_address.hpp"

static int socket_option (void *socket_, int option_)
{
    int value = 0;
    size_t size = sizeof value;
    zmq_getsockopt (socket_, option_, &value, &size);
    return value;
}

static std::string text_of (const zmq::ip_addr_t &addr_, bool port_)
{
    zw::words_t words;
    zw::to_words (addr_.as_sockaddr (), addr_.sockaddr_len (), &words);
    return port_ ? std::to_string (words.family) + " " + words.host + " "
                     + std::to_string (words.port)
                 : words.host;
}

//  Each transport has a function of its own: engines compile a function when it is first
//  called, and most programs call one.
#define SEPARATE __attribute__ ((noinline))

//  As udp_engine_t::plug does it: a socket for a group is bound to any address.
SEPARATE static int udp_target (void *socket_, const std::string &address_, std::string *text_)
{
    const int type = socket_option (socket_, ZMQ_TYPE);
    if (type != ZMQ_DISH && type != ZMQ_DGRAM)
        return ENOCOMPATPROTO;
    zmq::udp_address_t resolved;
    if (resolved.resolve (address_.c_str (), true,
                          socket_option (socket_, ZMQ_IPV6) != 0)
        != 0)
        return errno;
    if (!resolved.is_mcast ()) {
        *text_ = "u" + text_of (*resolved.bind_addr (), true);
        return 0;
    }
    const int family = resolved.family ();
    zmq::ip_addr_t any = zmq::ip_addr_t::any (family);
    any.set_port (resolved.bind_addr ()->port ());
    *text_ = "u" + text_of (any, true) + " "
             + text_of (*resolved.target_addr (), false) + " "
             + (family == AF_INET ? text_of (*resolved.bind_addr (), false)
                                  : zw::interface_name (resolved.bind_if ()));
    return 0;
}

static int stream_target (const sockaddr *addr_, socklen_t size_, std::string *text_)
{
    zw::words_t words;
    zw::to_stream_words (addr_, size_, &words);
    *text_ = std::to_string (words.family) + " " + words.host;
    if (words.family != 1)
        *text_ += " " + std::to_string (words.port);
    return 0;
}

SEPARATE static int tcp_target (const std::string &address_, bool ipv6_, std::string *text_)
{
    zmq::tcp_address_t resolved;
    if (resolved.resolve (address_.c_str (), true, ipv6_) != 0)
        return errno;
    return stream_target (resolved.addr (), resolved.addrlen (), text_);
}

SEPARATE static int ws_target (const std::string &address_, bool ipv6_, std::string *text_)
{
    zmq::ws_address_t resolved;
    if (resolved.resolve (address_.c_str (), true, ipv6_) != 0)
        return errno;
    return stream_target (resolved.addr (), resolved.addrlen (), text_);
}

SEPARATE static int ipc_target (const std::string &address_, std::string *text_)
{
    zmq::ipc_address_t resolved;
    if (resolved.resolve (address_.c_str ()) != 0)
        return errno;
    return stream_target (resolved.addr (), resolved.addrlen (), text_);
}

//  In words where zmq_bind would listen: "4 127.0.0.1 5555", "6 :: 0" or
//  "1 /path"; where it would receive: "u4 127.0.0.1 5555", or for a group
//  "u4 0.0.0.0 5555 239.0.0.1 192.168.0.1" with the address of the interface
//  (0.0.0.0: any), "u6 :: 5555 ff02::1 eth0" with its name (*: any). Empty for
//  transports that need nothing prepared.
extern "C" int
zw_bind_target (void *socket_, const char *endpoint_, char *out_, int cap_)
{
    const std::string endpoint (endpoint_);
    const size_t colon = endpoint.find ("://");
    if (colon == std::string::npos)
        return -EINVAL;
    const std::string protocol = endpoint.substr (0, colon);
    const std::string address = endpoint.substr (colon + 3);
    const bool ipv6 = socket_option (socket_, ZMQ_IPV6) != 0;
    std::string text;
    int err;
    if (protocol == "tcp")
        err = tcp_target (address, ipv6 && zw::has_ipv6, &text);
    else if (protocol == "ws")
        err = ws_target (address, ipv6 && zw::has_ipv6, &text);
    else if (protocol == "ipc")
        err = ipc_target (address, &text);
    else if (protocol == "udp")
        err = udp_target (socket_, address, &text);
    else
        return 0;
    if (err)
        return -err;
    if (text.size () > (size_t) cap_)
        return -ENAMETOOLONG;
    memcpy (out_, text.data (), text.size ());
    return text.size ();
}

//  The host has no IPv6, as it said when it was to listen there: libzmq does with IPv4.
extern "C" void zw_no_ipv6 ()
{
    zw::has_ipv6 = false;
}
