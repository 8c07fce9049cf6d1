/*  The BSD socket calls that libzmq makes, on the fd table: our definitions
    win over the C library's. Each answers only what libzmq accepts from it
    (elsewhere it would abort), see README.md.  */
#include "precompiled.hpp"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <string>
#include <vector>

#include "bodies.hpp"
#include "datagram.hpp"
#include "fd_table.hpp"
#include "imports.h"
#include "names.hpp"

using zw::entry;
using zw::fd_entry_t;

static int fail (int errno_)
{
    errno = errno_;
    return -1;
}

bool zw::has_ipv6 = true;

extern "C" {

//  --- sockets

int socket (int domain_, int type_, int)
{
    //  The type also has flags such as SOCK_CLOEXEC.
    if ((type_ & 15) != SOCK_DGRAM) {
        if (domain_ == AF_INET6 && !zw::has_ipv6)
            return fail (EAFNOSUPPORT);
        return zw::allocate (zw::fresh_fd, domain_);
    }
    const int fd = zw::allocate (zw::datagram_fd, domain_);
    if (fd != -1)
        entry (fd)->writable = true;
    return fd;
}

int bind (int fd_, const sockaddr *addr_, socklen_t size_)
{
    fd_entry_t *const e = entry (fd_);
    if (e->kind == zw::datagram_fd)
        return zw::datagram_bind (fd_, addr_, size_);
    memcpy (&e->local, addr_, size_);
    e->local_size = size_;
    return 0;
}

int listen (int fd_, int)
{
    fd_entry_t *const e = entry (fd_);
    zw::words_t words;
    zw::to_stream_words ((sockaddr *) &e->local, e->local_size, &words);
    const host_name_t at = words.name ();
    const int rc = host_listen (fd_, &at);
    if (rc < 0)
        return fail (-rc);
    e->kind = zw::listen_fd;
    if (words.family != 1)
        ((sockaddr_in *) &e->local)->sin_port = htons (rc);
    return 0;
}

int accept4 (int fd_, sockaddr *addr_, socklen_t *size_, int)
{
    fd_entry_t *const e = entry (fd_);
    const int fd = e->accept_first;
    if (!fd)
        return fail (EAGAIN);
    fd_entry_t *const peer = entry (fd);
    e->accept_first = peer->accept_next;
    if (!e->accept_first)
        e->accept_last = 0;
    peer->accept_next = 0;
    if (addr_) {
        memcpy (addr_, &peer->peer, peer->peer_size);
        *size_ = peer->peer_size;
    }
    return fd;
}

//  Always pending: a connection made at once would abort the socks connecter.
int connect (int fd_, const sockaddr *addr_, socklen_t size_)
{
    fd_entry_t *const e = entry (fd_);
    zw::words_t to, from;
    zw::to_stream_words (addr_, size_, &to);
    if (e->local_size)
        zw::to_stream_words ((sockaddr *) &e->local, e->local_size, &from);
    e->kind = zw::stream_fd;
    if (to.family == 1) {
        //  The host tells no addresses of these.
        memcpy (&e->peer, addr_, size_);
        e->peer_size = size_;
    }
    const host_name_t to_name = to.name (), from_name = from.name ();
    const int rc = host_connect (fd_, &to_name, &from_name);
    return fail (rc < 0 ? -rc : EINPROGRESS);
}

//  More than heads of some frames take.
static const size_t head_size = 64;

ssize_t recv (int fd_, void *buf_, size_t size_, int)
{
    fd_entry_t *const e = entry (fd_);
    if (e->input_size) {
        size_t n = size_ < e->input_size ? size_ : e->input_size;
        if (zw_is_outside (buf_)) {
            e->asks = zw::asks;
            e->heads = zw::asks;
        } else if (e->heads) {
            e->heads--;
            if (n > head_size)
                n = head_size;
        }
        e->input_size -= n;
        host_read (fd_, buf_, n, zw_is_outside (buf_) || e->decrypts ? size_ : 0);
        return n;
    }
    if (e->error)
        return fail (e->error);
    if (e->eof)
        return 0;
    if (zw_is_outside (buf_)) {
        e->asks = zw::asks;
        host_read (fd_, buf_, 0, size_);
    }
    return fail (EAGAIN);
}

ssize_t send (int fd_, const void *buf_, size_t size_, int)
{
    fd_entry_t *const e = entry (fd_);
    if (e->error)
        return fail (e->error);
    if (!e->writable)
        return fail (EAGAIN);
    const int rc = host_send (fd_, buf_, size_, e->more);
    if (rc >= 0)
        return rc;
    if (rc == -EAGAIN)
        e->writable = false;
    return fail (-rc);
}

int close (int fd_)
{
    fd_entry_t *const e = entry (fd_);
    while (e->accept_first) {
        const int fd = e->accept_first;
        e->accept_first = entry (fd)->accept_next;
        close (fd);
    }
    if (e->kind != zw::fresh_fd)
        host_close (fd_, e->linger);
    zw::release (fd_);
    return 0;
}

//  Zero whatever happens: libzmq aborts on most failures here. What a host
//  cannot do is documented per runtime.
int setsockopt (int fd_, int level_, int name_, const void *value_, socklen_t size_)
{
    if (entry (fd_)->kind == zw::datagram_fd)
        return zw::datagram_option (fd_, level_, name_, value_, size_);
    int value = 0;
    if (size_ == sizeof value)
        memcpy (&value, value_, sizeof value);
    host_setsockopt (fd_, level_, name_, value);
    return 0;
}

int getsockopt (int fd_, int level_, int name_, void *value_, socklen_t *size_)
{
    if (level_ != SOL_SOCKET || name_ != SO_ERROR)
        return fail (ENOPROTOOPT);
    memcpy (value_, &entry (fd_)->error, sizeof (int));
    *size_ = sizeof (int);
    return 0;
}

static int copy_address (const sockaddr_storage *from_, socklen_t from_size_,
                         sockaddr *to_, socklen_t *size_)
{
    if (!from_size_)
        return fail (ENOTCONN);
    memcpy (to_, from_, *size_ < from_size_ ? *size_ : from_size_);
    *size_ = from_size_;
    return 0;
}

int getsockname (int fd_, sockaddr *addr_, socklen_t *size_)
{
    return copy_address (&entry (fd_)->local, entry (fd_)->local_size, addr_,
                         size_);
}

int getpeername (int fd_, sockaddr *addr_, socklen_t *size_)
{
    return copy_address (&entry (fd_)->peer, entry (fd_)->peer_size, addr_,
                         size_);
}

//  Nothing here ever blocks, so O_NONBLOCK is what every fd is.
int fcntl (int, int, ...)
{
    return 0;
}

int poll (pollfd *, nfds_t, int)
{
    return fail (EINTR);
}

int usleep (unsigned)
{
    return 0;
}

//  --- files, for ipc. `ipc://*` is made unique before libzmq sees it, and the file of a
//  listener is its host's, which replaces what is there and removes its own.

int unlink (const char *)
{
    return 0;
}

int rmdir (const char *)
{
    return 0;
}

char *mkdtemp (char *)
{
    errno = ENOSYS;
    return NULL;
}

int stat (const char *, struct stat *)
{
    return fail (ENOENT);
}

//  --- interfaces

struct interface_t
{
    ifaddrs head;
    sockaddr_storage addr;
    char name[256];
};

int getifaddrs (ifaddrs **list_)
{
    ifaddrs **end = list_;
    *end = NULL;
    std::vector<char> text (4096);
    int len = host_interfaces (&text[0], text.size ());
    if (len > (int) text.size ()) {
        text.resize (len);
        len = host_interfaces (&text[0], len);
    }
    const std::string lines (&text[0], len);
    for (size_t at = 0; at < lines.size ();) {
        //  Names of Windows have spaces.
        const size_t line = lines.find ('\n', at), space = lines.rfind (' ', line);
        const std::string name = lines.substr (at, space - at);
        const std::string host = lines.substr (space + 1, line - space - 1);
        at = line + 1;
        interface_t *const it = (interface_t *) calloc (1, sizeof *it);
        if (!it)
            return fail (ENOMEM);
        const int family = host.find (':') == std::string::npos ? AF_INET : AF_INET6;
        if (name.size () >= sizeof it->name
            || !zw::to_sockaddr (host, 0, family, &it->addr)) {
            free (it);
            continue;
        }
        memcpy (it->name, name.c_str (), name.size () + 1);
        it->head.ifa_name = it->name;
        it->head.ifa_addr = (sockaddr *) &it->addr;
        it->head.ifa_flags = IFF_UP;
        //  In their order: libzmq takes the first address of an interface.
        *end = &it->head;
        end = &it->head.ifa_next;
    }
    //  libzmq asserts that there is one, unless it is told that nobody knows any.
    return *list_ ? 0 : fail (EOPNOTSUPP);
}

void freeifaddrs (ifaddrs *list_)
{
    while (list_) {
        ifaddrs *const next = list_->ifa_next;
        free (list_);
        list_ = next;
    }
}

//  No host tells the numbers of all interfaces, so those that are named get
//  numbers of ours, apart from those of any system.
static const unsigned first_interface = 1 << 30;
static std::vector<std::string> interfaces;

static unsigned number_of (const std::string &name_)
{
    size_t index = 0;
    while (index < interfaces.size () && interfaces[index] != name_)
        index++;
    if (index == interfaces.size ())
        interfaces.push_back (name_);
    return first_interface + index;
}

unsigned if_nametoindex (const char *name_)
{
    bool found = false;
    ifaddrs *list;
    getifaddrs (&list);
    for (const ifaddrs *it = list; it; it = it->ifa_next)
        found = found || strcmp (it->ifa_name, name_) == 0;
    freeifaddrs (list);
    if (!found) {
        errno = ENODEV;
        return 0;
    }
    return number_of (name_);
}

//  --- time, threads, the end

int clock_gettime (clockid_t, timespec *ts_)
{
    const double now = host_now ();
    ts_->tv_sec = (time_t) (now / 1000);
    ts_->tv_nsec = (long) ((now - (double) ts_->tv_sec * 1000) * 1e6);
    return 0;
}

//  A condition can only come true in another thread, so a wait that was to
//  last is a bug: the error makes libzmq assert. With a timeout it is over.
int pthread_cond_wait (pthread_cond_t *, pthread_mutex_t *)
{
    return EDEADLK;
}

int pthread_cond_timedwait (pthread_cond_t *, pthread_mutex_t *, const timespec *)
{
    return ETIMEDOUT;
}

void abort (void)
{
    fflush (stderr);
    host_abort ();
    __builtin_trap ();
}
}

std::string zw::interface_name (unsigned index_)
{
    if (index_ == 0)
        return "*";
    return index_ - first_interface < interfaces.size ()
             ? interfaces[index_ - first_interface]
             : std::to_string (index_);
}

unsigned zw::interface_number (const std::string &name_)
{
    //  Hosts tell numbers where scopes have no names: on Windows.
    char *end;
    const unsigned number = strtoul (name_.c_str (), &end, 10);
    return *end ? number_of (name_) : number;
}

extern "C" void emscripten_notify_memory_growth (size_t) {}
