/*  The socket calls of libzmq's udp_engine. None of them ever fails but for
    want of input: the engine would open its socket again at once, without end.
    UDP promises nothing, so what cannot be sent is lost.  */
#include "precompiled.hpp"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "datagram.hpp"
#include "fd_table.hpp"
#include "imports.h"
#include "names.hpp"

using zw::entry;
using zw::fd_entry_t;

int zw::datagram_bind (int fd_, const sockaddr *addr_, socklen_t size_)
{
    words_t words;
    to_words (addr_, size_, &words);
    const host_name_t at = words.name ();
    host_bind (fd_, &at);
    return 0;
}

int zw::datagram_option (
  int fd_, int level_, int name_, const void *value_, socklen_t size_)
{
    char text[INET_ADDRSTRLEN];
    int value;
    //  What is longer is a membership, which TypeScript had from zw_bind_target.
    if (size_ != sizeof value)
        return 0;
    memcpy (&value, value_, sizeof value);
    if (level_ == IPPROTO_IP && name_ == IP_MULTICAST_IF) {
        inet_ntop (AF_INET, value_, text, sizeof text);
        host_multicast_interface (fd_, text, strlen (text));
    } else if (level_ == IPPROTO_IPV6 && name_ == IPV6_MULTICAST_IF) {
        const std::string name = interface_name (value);
        host_multicast_interface (fd_, name.data (), name.size ());
    } else
        host_setsockopt (fd_, level_, name_, value);
    return 0;
}

extern "C" {

ssize_t sendto (int fd_,
                const void *buf_,
                size_t size_,
                int,
                const sockaddr *to_,
                socklen_t to_size_)
{
    zw::words_t to;
    zw::to_words (to_, to_size_, &to);
    const host_name_t name = to.name ();
    if (!host_sendto (fd_, buf_, size_, &name))
        entry (fd_)->writable = false;
    return size_;
}

ssize_t recvfrom (
  int fd_, void *buf_, size_t size_, int, sockaddr *from_, socklen_t *from_size_)
{
    fd_entry_t *const e = entry (fd_);
    if (!e->input_size) {
        errno = EAGAIN;
        return -1;
    }
    e->input_size--;
    host_sender_t sender;
    const int size = host_recvfrom (fd_, buf_, size_, &sender);
    sockaddr_storage addr;
    const socklen_t length = zw::to_sockaddr (
      std::string (sender.host, sender.size), sender.port, e->family, &addr);
    //  Without a length this is no address of any family.
    memcpy (from_, &addr, length ? length : sizeof addr.ss_family);
    *from_size_ = length;
    return size;
}
}
