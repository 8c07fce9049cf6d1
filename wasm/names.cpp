#include "names.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <vector>

//  Placeholders: 240.0.0.0/8 (reserved, RFC 1112) and 100::/64 (discard only,
//  RFC 6666), numbered by the table of names. Never freed: a name that a
//  program connects to is connected to again.
static std::vector<std::string> names;

static unsigned intern (const char *name_)
{
    for (size_t i = 0; i < names.size (); i++)
        if (names[i] == name_)
            return i;
    names.push_back (name_);
    return names.size () - 1;
}

static bool find_name (const sockaddr *addr_, std::string *name_)
{
    unsigned char b[16];
    if (addr_->sa_family == AF_INET) {
        memcpy (b, &((const sockaddr_in *) addr_)->sin_addr, 4);
        if (b[0] != 240)
            return false;
        b[13] = b[1], b[14] = b[2], b[15] = b[3];
    } else {
        static const unsigned char prefix[8] = {1};
        memcpy (b, &((const sockaddr_in6 *) addr_)->sin6_addr, 16);
        if (memcmp (b, prefix, 8) != 0)
            return false;
    }
    const unsigned index = b[13] << 16 | b[14] << 8 | b[15];
    if (index >= names.size ())
        return false;
    *name_ = names[index];
    return true;
}

static socklen_t placeholder (unsigned index_, int family_, sockaddr_storage *addr_)
{
    unsigned char b[16] = {};
    memset (addr_, 0, sizeof *addr_);
    if (family_ == AF_INET) {
        b[0] = 240, b[1] = index_ >> 16, b[2] = index_ >> 8, b[3] = index_;
        sockaddr_in *const in = (sockaddr_in *) addr_;
        in->sin_family = AF_INET;
        memcpy (&in->sin_addr, b, 4);
        return sizeof *in;
    }
    b[0] = 1, b[13] = index_ >> 16, b[14] = index_ >> 8, b[15] = index_;
    sockaddr_in6 *const in6 = (sockaddr_in6 *) addr_;
    in6->sin6_family = AF_INET6;
    memcpy (&in6->sin6_addr, b, 16);
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

socklen_t zw::to_sockaddr (const std::string &host_, int port_, int family_,
                           sockaddr_storage *addr_)
{
    unsigned char v4[4], v6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memset (addr_, 0, sizeof *addr_);
    const bool is_v4 = inet_pton (AF_INET, host_.c_str (), v4) == 1;
    if (is_v4)
        memcpy (v6 + 12, v4, 4);
    else {
        unsigned char any[16];
        if (inet_pton (AF_INET6, host_.c_str (), any) != 1)
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
    //  only makes sense for bind.
    if (!literal && !(hints_->ai_flags & AI_NUMERICHOST)
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
