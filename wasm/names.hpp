/*  Addresses in words and in sockaddrs. Names resolve on the host, at every
    (re)connect: inside the module a name is a placeholder address.  */
#ifndef ZW_NAMES_HPP
#define ZW_NAMES_HPP

#include <sys/socket.h>
#include <string>

#include "imports.h"

namespace zw
{
struct words_t
{
    int family; //  4, 6 or 1 (ipc)
    std::string host; //  IP literal, name or path
    int port;
    words_t () : family (0), port (0) {}
    //  As the host takes it, for as long as this is there.
    host_name_t name () const
    {
        const host_name_t result = {host.data (), static_cast<int> (host.size ()), family,
                                    port};
        return result;
    }
};

void to_words (const sockaddr *addr_, socklen_t size_, words_t *words_);
//  The same for where a stream connects or listens: an IPv4 address in an IPv6 one is
//  itself, for which the host needs no IPv6.
void to_stream_words (const sockaddr *addr_, socklen_t size_, words_t *words_);
//  Returns the size, or 0 if host_ is no IP literal, perhaps with a scope. An IPv4
//  literal in AF_INET6 becomes a mapped address and the other way round.
socklen_t to_sockaddr (const std::string &host_, int port_, int family_,
                       sockaddr_storage *addr_);
//  The name behind a number that if_nametoindex or the function below returned; "*" for 0.
std::string interface_name (unsigned index_);
//  A number for the name that a host gave, or the number it gave.
unsigned interface_number (const std::string &name_);
}

#endif
