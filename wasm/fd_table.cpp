#include "precompiled.hpp"
#include "fd_table.hpp"
#include "imports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vector>

//  libzmq takes 0 for "no fd" here and there, and a table that never ends
//  would hide a leak: as a process, the module has a limit.
static const int first_fd = 16, max_fds = 1 << 17;
//  A number comes back only after thousands of others for the same entry: what a monitor
//  tells of one may be read when its connection is long gone.
static const int last_fd = (1 << 30) - 1;

//  Entries stay where they are while the table grows, and for ever: by blocks, each
//  as large as all before it, for single ones would stay between what peers have
//  sent and leave no room for a large message.
static std::vector<zw::fd_entry_t *> entries;
static zw::fd_entry_t *block;
static size_t block_left;
static const size_t first_block = 64;
static std::vector<int> free_list;

zw::fd_entry_t *zw::entry (int fd_)
{
    return entries[(static_cast<unsigned> (fd_) % max_fds) - first_fd];
}

int zw::allocate (kind_t kind_, int family_)
{
    int fd;
    if (!free_list.empty ()) {
        fd = free_list.back ();
        free_list.pop_back ();
    } else {
        fd = first_fd + entries.size ();
        if (fd >= max_fds) {
            errno = EMFILE;
            return -1;
        }
        if (!block_left) {
            const size_t count = entries.empty () ? first_block : entries.size ();
            fd_entry_t *const more =
              (fd_entry_t *) malloc (sizeof (fd_entry_t) * count);
            if (!more) {
                errno = EMFILE;
                return -1;
            }
            block = more;
            block_left = count;
        }
        entries.push_back (block++);
        block_left--;
    }
    fd_entry_t *const e = entry (fd);
    memset (e, 0, sizeof *e);
    e->kind = kind_;
    e->family = family_;
    e->linger = -1;
    return fd;
}

//  So many may take as long for it as `handshakeInterval` says; silent ones cost
//  some KB each, and descriptors.
static const int most_pending = 1024;
//  When all clients of a server come back at once, more are under way, and many of
//  them slowly. Whoever is above the limit gets this long, if memory allows it ...
static const unsigned grace_ms = 5000;
//  ... and if they are not more than this.
static const int crowd_pending = 16384;
//  It gets longer while the crowd moves: if since then so many handshakes succeeded
//  that the rest should take no more than this times as long. Two processes of Deno
//  need more than five seconds for 10,000, and who was lost had lost messages.
static const int patience = 4;
static const unsigned again_ms = 1000;

//  Listeners with more than most_pending, and when one of these is late.
static std::vector<int> crowded;
static double late_at;

//  In milliseconds, modulo 2^32.
static unsigned clock_ms ()
{
    return static_cast<unsigned> (static_cast<uint64_t> (host_now ()));
}

static void end_wait (int fd_)
{
    zw::fd_entry_t *const e = zw::entry (fd_);
    if (!e->listener)
        return;
    zw::entry (e->older)->younger = e->younger;
    zw::entry (e->younger)->older = e->older;
    zw::entry (e->listener)->pending--;
    e->listener = e->older = e->younger = 0;
}

static void lose_oldest (const zw::fd_entry_t &listener_)
{
    const int oldest = listener_.younger;
    end_wait (oldest);
    zw::entry (oldest)->error = ECONNRESET;
    zmq::host_poller_t::notify (oldest);
}

void zw::await_handshake (int listener_, int fd_)
{
    fd_entry_t *const l = entry (listener_), *const e = entry (fd_);
    if (!l->pending)
        l->older = l->younger = listener_;
    e->listener = listener_;
    e->older = l->older;
    e->younger = listener_;
    entry (l->older)->younger = fd_;
    l->older = fd_;
    e->since = clock_ms ();
    e->stood = l->stood;
    if (++l->pending > crowd_pending)
        lose_oldest (*l);
    else if (l->pending == most_pending + 1)
        crowded.push_back (listener_);
}

//  Milliseconds until the oldest of a listener with too many may have to go; or 0.
static unsigned time_left (const zw::fd_entry_t &listener_, unsigned now_)
{
    const zw::fd_entry_t *const oldest = zw::entry (listener_.younger);
    const unsigned waited = now_ - oldest->since;
    if (waited < grace_ms)
        return grace_ms - waited;
    const unsigned stood = listener_.stood - oldest->stood;
    return stood >= static_cast<unsigned> (listener_.pending) / patience ? again_ms : 0;
}

void zw::lose_late ()
{
    late_at = 0;
    if (crowded.empty ())
        return;
    const double now = host_now ();
    const unsigned ms = clock_ms ();
    for (size_t i = 0; i < crowded.size ();) {
        fd_entry_t *const l = entry (crowded[i]);
        unsigned left = 0;
        while (l->pending > most_pending && (left = time_left (*l, ms)) == 0)
            lose_oldest (*l);
        if (l->pending <= most_pending) {
            //  Or it is no listener any more.
            crowded[i] = crowded.back ();
            crowded.pop_back ();
            continue;
        }
        const double due = now + left;
        if (!late_at || due < late_at)
            late_at = due;
        i++;
    }
}

double zw::next_late ()
{
    return late_at;
}

extern "C" void zw_linger (int fd_, int linger_)
{
    zw::entry (fd_)->linger = linger_;
}

extern "C" void zw_handshake_done (int fd_, void *socket_)
{
    zw::fd_entry_t *const e = zw::entry (fd_);
    if (e->listener)
        zw::entry (e->listener)->stood++;
    end_wait (fd_);
    if (e->socket)
        return;
    e->socket = socket_;
    zw::count_connection (socket_, 1);
}

void zw::release (int fd_)
{
    fd_entry_t *const e = entry (fd_);
    end_wait (fd_);
    while (e->pending)
        end_wait (e->younger);
    if (e->socket)
        count_connection (e->socket, -1);
    if (e->slot)
        app_gone (e->slot - 1);
    memset (e, 0, sizeof *e);
    const int next = fd_ + max_fds;
    free_list.push_back (next <= last_fd ? next : fd_ % max_fds);
}

bool zw::readable (const fd_entry_t *e_)
{
    switch (e_->kind) {
        case signal_fd:
            return e_->signals > 0;
        case stream_fd:
            return e_->input_size || e_->eof || e_->error;
        case listen_fd:
            return e_->accept_first != 0;
        case datagram_fd:
            return e_->input_size != 0;
        default:
            return false;
    }
}

bool zw::writable (const fd_entry_t *e_)
{
    return (e_->kind == stream_fd || e_->kind == datagram_fd)
           && (e_->writable || e_->error);
}
