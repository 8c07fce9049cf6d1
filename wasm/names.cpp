#include "names.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <vector>

//  Never freed: a name that a program connects to is connected to again.
static std::vector<std::string> names;

static unsigned intern (const char *name_)
{
    for (size_t i = 0; i < names.size (); i++)
        if (names[i] == name_)
            return i;
    names.push_back (name_);
    return names.size () - 1;
}

//  Placeholders: 240.0.0.0 (reserved, RFC 1112) and 100:: (discard only, RFC 6666). Both can
//  be a machine's all the same; so they have the index in the table of names, from 1 on,
//  where libzmq's addresses and hosts' have 0.
static const in_addr_t placeholder4 = 0xf0000000;
static const in6_addr placeholder6 = {{{1}}};

static bool find_name (const sockaddr *addr_, std::string *name_)
{
    unsigned mark;
    if (addr_->sa_family == AF_INET) {
        const sockaddr_in *const in = (const sockaddr_in *) addr_;
        if (in->sin_addr.s_addr != htonl (placeholder4))
            return false;
        memcpy (&mark, in->sin_zero, sizeof mark);
    } else {
        const sockaddr_in6 *const in6 = (const sockaddr_in6 *) addr_;
        if (!IN6_ARE_ADDR_EQUAL (&in6->sin6_addr, &placeholder6))
            return false;
        mark = in6->sin6_flowinfo;
    }
    if (mark == 0 || mark > names.size ())
        return false;
    *name_ = names[mark - 1];
    return true;
}

static socklen_t placeholder (unsigned index_, int family_, sockaddr_storage *addr_)
{
    const unsigned mark = index_ + 1;
    memset (addr_, 0, sizeof *addr_);
    if (family_ == AF_INET) {
        sockaddr_in *const in = (sockaddr_in *) addr_;
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = htonl (placeholder4);
        memcpy (in->sin_zero, &mark, sizeof mark);
        return sizeof *in;
    }
    sockaddr_in6 *const in6 = (sockaddr_in6 *) addr_;
    in6->sin6_family = AF_INET6;
    in6->sin6_addr = placeholder6;
    in6->sin6_flowinfo = mark;
    return sizeof *in6;
}

void zw::to_words (const sockaddr *addr_, socklen_t size_, words_t *words_)
{
    if (addr_->sa_family == AF_UNIX) {
        const sockaddr_un *const un = (const sockaddr_un *) addr_;
        const size_t max = size_ - offsetof (sockaddr_un, sun_path);
        words_->family = 1;
        //  An abstract name begins with NUL and has no end of its own.
        const size_t skip = un->sun_path[0] ? 0 : 1;
        words_->host.assign (un->sun_path,
                             skip + strnlen (un->sun_path + skip, max - skip));
        return;
    }
    char text[INET6_ADDRSTRLEN];
    words_->family = addr_->sa_family == AF_INET ? 4 : 6;
    words_->port = ntohs (((const sockaddr_in *) addr_)->sin_port);
    if (find_name (addr_, &words_->host))
        return;
    const void *const ip = addr_->sa_family == AF_INET
                             ? (const void *) &((const sockaddr_in *) addr_)->sin_addr
                             : &((const sockaddr_in6 *) addr_)->sin6_addr;
    words_->host = inet_ntop (addr_->sa_family, ip, text, sizeof text);
    if (words_->family == 6 && ((const sockaddr_in6 *) addr_)->sin6_scope_id)
        words_->host +=
          "%" + interface_name (((const sockaddr_in6 *) addr_)->sin6_scope_id);
}

void zw::to_stream_words (const sockaddr *addr_, socklen_t size_, words_t *words_)
{
    const sockaddr_in6 *const in6 = (const sockaddr_in6 *) addr_;
    if (addr_->sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED (&in6->sin6_addr)) {
        to_words (addr_, size_, words_);
        return;
    }
    sockaddr_in in = {};
    in.sin_family = AF_INET;
    in.sin_port = in6->sin6_port;
    memcpy (&in.sin_addr, in6->sin6_addr.s6_addr + 12, 4);
    to_words ((const sockaddr *) &in, sizeof in, words_);
}

socklen_t zw::to_sockaddr (const std::string &host_, int port_, int family_,
                           sockaddr_storage *addr_)
{
    unsigned char v4[4], v6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const size_t percent = host_.find ('%');
    const std::string ip = host_.substr (0, percent);
    in_addr found;
    memset (addr_, 0, sizeof *addr_);
    //  Also such as 127.1, as getaddrinfo does.
    if (inet_aton (ip.c_str (), &found)) {
        memcpy (v4, &found, 4);
        memcpy (v6 + 12, v4, 4);
    } else {
        unsigned char any[16];
        if (inet_pton (AF_INET6, ip.c_str (), any) != 1)
            return 0;
        if (family_ == AF_INET && memcmp (any, v6, 12) != 0)
            return 0;
        memcpy (v6, any, 16);
        memcpy (v4, any + 12, 4);
    }
    if (family_ == AF_INET) {
        sockaddr_in *const in = (sockaddr_in *) addr_;
        in->sin_family = AF_INET;
        in->sin_port = htons (port_);
        memcpy (&in->sin_addr, v4, 4);
        return sizeof *in;
    }
    sockaddr_in6 *const in6 = (sockaddr_in6 *) addr_;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons (port_);
    memcpy (&in6->sin6_addr, v6, 16);
    if (percent != std::string::npos)
        in6->sin6_scope_id = interface_number (host_.substr (percent + 1));
    return sizeof *in6;
}

extern "C" {

struct result_t
{
    addrinfo info;
    sockaddr_storage addr;
};

int getaddrinfo (const char *node_, const char *, const addrinfo *hints_,
                 addrinfo **out_)
{
    in6_addr scratch;
    const bool is_v6 = inet_pton (AF_INET6, node_, &scratch) == 1;
    //  Who asks for any family (the SOCKS client) gets that of the literal.
    const int family = hints_->ai_family == AF_INET6
                           || (hints_->ai_family == AF_UNSPEC && is_v6)
                         ? AF_INET6
                         : AF_INET;
    result_t *const result = (result_t *) calloc (1, sizeof *result);
    if (!result)
        return EAI_MEMORY;
    socklen_t size = zw::to_sockaddr (node_, 0, family, &result->addr);
    const bool literal = size || is_v6;
    //  What no resolver takes for a name fails at once: "*" above all, which
    //  only makes sense for bind, and none at all, which hosts take for localhost.
    if (!literal && *node_ && !(hints_->ai_flags & AI_NUMERICHOST)
        && !strpbrk (node_, "* \t\n/\\?#@!,;\"'<>(){}[]"))
        size = placeholder (intern (node_), family, &result->addr);
    if (!size) {
        free (result);
        return EAI_NONAME;
    }
    result->info.ai_family = family;
    result->info.ai_socktype = hints_->ai_socktype;
    result->info.ai_addrlen = size;
    result->info.ai_addr = (sockaddr *) &result->addr;
    *out_ = &result->info;
    return 0;
}

void freeaddrinfo (addrinfo *info_)
{
    free (info_);
}

int getnameinfo (const sockaddr *addr_, socklen_t size_, char *host_,
                 socklen_t host_size_, char *, socklen_t, int)
{
    if (addr_->sa_family != AF_INET && addr_->sa_family != AF_INET6) {
        //  A peer over ipc has no name.
        if (addr_->sa_family != AF_UNIX)
            return EAI_FAMILY;
        host_[0] = 0;
        return 0;
    }
    zw::words_t words;
    zw::to_words (addr_, size_, &words);
    if (words.host.size () >= host_size_)
        return EAI_OVERFLOW;
    memcpy (host_, words.host.c_str (), words.host.size () + 1);
    return 0;
}
}
