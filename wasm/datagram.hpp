/*  What posix.cpp leaves to datagram.cpp.  */
#ifndef ZW_DATAGRAM_HPP
#define ZW_DATAGRAM_HPP

#include <sys/socket.h>

namespace zw
{
int datagram_bind (int fd_, const sockaddr *addr_, socklen_t size_);
int datagram_option (
  int fd_, int level_, int name_, const void *value_, socklen_t size_);
}

#endif
