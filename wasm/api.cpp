/*  What TypeScript may call besides libzmq's own functions: flat, without
    out-parameters where possible, and in batches where it matters.
    Functions that can fail return -errno.  */
#include "precompiled.hpp"
#include <malloc.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <algorithm>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "zmq.h"
#include "ctx.hpp"
#include "err.hpp"
#include "metadata.hpp"
#include "msg.hpp"
#include "signaler.hpp"
#include "socket_base.hpp"
#include "fd_table.hpp"
#include "imports.h"
#include "names.hpp"
#include "show.hpp"

//  One write to the host costs microseconds, so engines gather more than
//  libzmq's 8 KiB before they make one.
static const int batch_size = 65536;

//  Slots of application sockets that were signalled, each at most once.
static std::vector<unsigned> ready_slots;
static std::vector<bool> slot_queued;
//  Slots whose socket is gone.
static std::vector<unsigned> gone_slots;

void zw::app_ready (unsigned slot_)
{
    if (slot_ >= slot_queued.size ())
        slot_queued.resize (slot_ + 1);
    if (slot_queued[slot_])
        return;
    slot_queued[slot_] = true;
    ready_slots.push_back (slot_);
}

//  The signalers of thread-safe sockets (the draft types).
typedef std::map<void *, zmq::signaler_t *> signalers_t;
static signalers_t signalers;

//  libzmq does not tell how many sockets a context has, nor which properties a
//  connection has, nor who else holds them.
struct ctx_sockets_t
{
    typedef zmq::array_t<zmq::socket_base_t> zmq::ctx_t::*type;
    friend type look (ctx_sockets_t);
};
template struct show_t<ctx_sockets_t, &zmq::ctx_t::_sockets>;
struct metadata_dict_t
{
    typedef const zmq::metadata_t::dict_t zmq::metadata_t::*type;
    friend type look (metadata_dict_t);
};
template struct show_t<metadata_dict_t, &zmq::metadata_t::_dict>;
struct metadata_count_t
{
    typedef zmq::atomic_counter_t zmq::metadata_t::*type;
    friend type look (metadata_count_t);
};
template struct show_t<metadata_count_t, &zmq::metadata_t::_ref_cnt>;

//  Properties of connections that messages came from. Each is held, so that its
//  address is no other's meanwhile, until nobody else holds it.
struct known_t
{
    zmq::metadata_t *metadata;
    unsigned id;
};
static std::vector<known_t> known;
static unsigned last_id = 0;

static void forget_unused ()
{
    size_t kept = 0;
    for (size_t i = 0; i < known.size (); i++)
        if ((known[i].metadata->*look (metadata_count_t ())).get () == 1) {
            known[i].metadata->drop_ref ();
            delete known[i].metadata;
        } else
            known[kept++] = known[i];
    known.resize (kept);
}

//  Before a batch and not within it: TypeScript asks for what is new when it has
//  the batch, and its connections may be gone already.
static void forget_some ()
{
    static size_t enough = 64;
    if (known.size () < enough)
        return;
    forget_unused ();
    enough = std::max<size_t> (64, known.size () * 2);
}

//  0 means none, as for inproc.
static unsigned metadata_id (zmq::metadata_t *metadata_)
{
    //  Where to look first, by a hash of the address.
    static unsigned short guesses[1 << 13];
    if (!metadata_)
        return 0;
    const unsigned hash =
      reinterpret_cast<uintptr_t> (metadata_) * 2654435761u >> 19;
    size_t index = guesses[hash];
    if (index >= known.size () || known[index].metadata != metadata_) {
        for (index = 0; index < known.size (); index++)
            if (known[index].metadata == metadata_)
                break;
        if (index == known.size ()) {
            const known_t entry = {metadata_, ++last_id};
            metadata_->add_ref ();
            known.push_back (entry);
        }
        guesses[hash] = index;
    }
    return known[index].id;
}

void zw::app_gone (unsigned slot_)
{
    gone_slots.push_back (slot_);
    forget_unused ();
}

bool zw::is_there (void *ctx_, const void *socket_)
{
    zmq::array_t<zmq::socket_base_t> &sockets =
      static_cast<zmq::ctx_t *> (ctx_)->*look (ctx_sockets_t ());
    for (size_t i = 0; i != sockets.size (); i++)
        if (sockets[i] == socket_)
            return true;
    return false;
}

static int result (int rc_)
{
    return rc_ == -1 ? -zmq_errno () : rc_;
}

struct parcel_t;

extern "C" {

void zw_parcel_free (parcel_t *parcel_);
//  sodium_glue.c
void zw_wipe_stack_if_used ();
int zw_scarce (size_t size_);

void *zw_ctx_new ()
{
    //  libzmq draws routing ids and jitter from rand() and never seeds it.
    unsigned seed;
    host_random (&seed, sizeof seed);
    srand (seed);
    return zmq_ctx_new ();
}

//  The socket's events are announced under `slot` (zw_next_ready).
void *zw_socket (void *ctx_, int type_, unsigned slot_)
{
    void *const socket = zmq_socket (ctx_, type_);
    if (!socket)
        return NULL;
    zmq_setsockopt (socket, ZMQ_IN_BATCH_SIZE, &batch_size, sizeof batch_size);
    zmq_setsockopt (socket, ZMQ_OUT_BATCH_SIZE, &batch_size, sizeof batch_size);
    zmq::socket_base_t *const base = static_cast<zmq::socket_base_t *> (socket);
    int fd;
    size_t size = sizeof fd;
    if (base->is_thread_safe ()) {
        //  These have no descriptor, but tell signalers, and forget them when
        //  they are closed.
        zmq::signaler_t *const signaler = new (std::nothrow) zmq::signaler_t;
        alloc_assert (signaler);
        signalers[socket] = signaler;
        base->add_signaler (signaler);
        fd = signaler->get_fd ();
    } else
        zmq_getsockopt (socket, ZMQ_FD, &fd, &size);
    zw::entry (fd)->slot = slot_ + 1;
    return socket;
}

void zw_close (void *socket_)
{
    zmq_close (socket_);
    const signalers_t::iterator it = signalers.find (socket_);
    if (it != signalers.end ()) {
        delete it->second;
        signalers.erase (it);
    }
}

int zw_send (void *socket_, const void *data_, int size_, int flags_)
{
    return result (zmq_send (socket_, data_, size_, flags_ | ZMQ_DONTWAIT));
}

//  Sends up to `count_` messages of one frame each: a word with the size, then the
//  bytes, padded to words. Returns how many; where it is not all of them, sending
//  the next one with zw_send tells why.
int zw_send_many (void *socket_, const unsigned *in_, int count_)
{
    for (int sent = 0; sent < count_; sent++) {
        const unsigned size = *in_++;
        if (zmq_send (socket_, in_, size, ZMQ_DONTWAIT) < 0)
            return sent;
        in_ += (size + 3) / 4;
    }
    return count_;
}

//  A message on its way out that one crossing cannot send: of several frames,
//  large, or waiting for room. All memory is there before the first frame goes.
struct parcel_t
{
    int count;
    zmq_msg_t frames[1];
};

//  `in_` holds a word for each frame: its size, and bit 31 if its bytes follow
//  the word, padded to words; otherwise the caller writes them itself (see
//  zw_parcel_data). Returns NULL when there is no memory.
parcel_t *zw_parcel_new (const unsigned *in_, int count_)
{
    parcel_t *const parcel =
      (parcel_t *) malloc (sizeof (parcel_t) + sizeof (zmq_msg_t) * count_);
    if (!parcel)
        return NULL;
    for (parcel->count = 0; parcel->count < count_; parcel->count++) {
        const unsigned size = *in_ & 0x7fffffff;
        zmq_msg_t *const frame = &parcel->frames[parcel->count];
        if (zmq_msg_init_size (frame, size) != 0) {
            zw_parcel_free (parcel);
            return NULL;
        }
        if (*in_++ >> 31) {
            memcpy (zmq_msg_data (frame), in_, size);
            in_ += (size + 3) / 4;
        }
    }
    return parcel;
}

void *zw_parcel_data (parcel_t *parcel_, int index_)
{
    return zmq_msg_data (&parcel_->frames[index_]);
}

void zw_parcel_free (parcel_t *parcel_)
{
    for (int i = 0; i < parcel_->count; i++)
        zmq_msg_close (&parcel_->frames[i]);
    free (parcel_);
}

//  Whom a SERVER, or which group a RADIO, sends it to. Returns 0 or -errno.
int zw_parcel_address (parcel_t *parcel_, unsigned routing_id_, const char *group_)
{
    return result (group_
                     ? zmq_msg_set_group (&parcel_->frames[0], group_)
                     : zmq_msg_set_routing_id (&parcel_->frames[0], routing_id_));
}

//  What a load balancer leaves unsent when the peer goes away between two
//  frames: it drops the rest, and must see the rest to know where that ends.
static void finish_dropped (void *socket_, parcel_t *parcel_, int from_)
{
    int type;
    size_t size = sizeof type;
    zmq_getsockopt (socket_, ZMQ_TYPE, &type, &size);
    if (type != ZMQ_PUSH && type != ZMQ_DEALER && type != ZMQ_REQ)
        return;
    for (int i = from_; i < parcel_->count; i++) {
        zmq_msg_t empty;
        zmq_msg_init (&empty);
        if (zmq_msg_send (&empty, socket_,
                          ZMQ_DONTWAIT
                            | (i + 1 < parcel_->count ? ZMQ_SNDMORE : 0))
            == -1)
            zmq_msg_close (&empty);
    }
}

//  Sends all frames, or none and returns -errno. The parcel stays the caller's.
int zw_parcel_send (parcel_t *parcel_, void *socket_)
{
    const int last = parcel_->count - 1;
    if (last == 0)
        return result (zmq_msg_send (&parcel_->frames[0], socket_, ZMQ_DONTWAIT));
    for (int i = 0; i <= last; i++) {
        //  A copy shares the bytes: if a later frame fails, all can go again.
        zmq_msg_t copy;
        zmq_msg_init (&copy);
        zmq_msg_copy (&copy, &parcel_->frames[i]);
        if (zmq_msg_send (&copy, socket_,
                          ZMQ_DONTWAIT | (i < last ? ZMQ_SNDMORE : 0))
            == -1) {
            const int err = zmq_errno ();
            zmq_msg_close (&copy);
            if (i > 0 && err == EAGAIN)
                finish_dropped (socket_, parcel_, i + 1);
            return -err;
        }
    }
    return 0;
}

void zw_msg_free (zmq_msg_t *msg_)
{
    zmq_msg_close (msg_);
    free (msg_);
}

//  Packs messages into `out`. Each begins with a word: the id of its
//  connection's properties (zw_properties); from a SERVER, another one with
//  the routing id follows; from a DISH, a word with the size of the group and
//  the group itself. Then each frame: a word of header, then its bytes padded to
//  words. Bit 31 of the header: more frames of this message follow. Bit 30: too
//  large to pack, the bytes are a zmq_msg_t pointer, to be freed by the caller.
//  The rest: the size of a packed frame in bytes.
//  A message is not begun when `out` may be too small, but it may end with the
//  next call: `begun_` says that the last one left one unfinished.
//  Returns the length, 0 when nothing is there, or -errno.
int zw_recv (void *socket_, unsigned char *out_, int cap_, int max_messages_, int type_, int begun_)
{
    static const int largest_packed = 4096, largest_head = 4 + 4 + 256;
    int used = 0;
    bool first = !begun_;
    forget_some ();
    while (max_messages_ > 0 && cap_ - used >= largest_packed + 8 + largest_head) {
        zmq_msg_t msg;
        zmq_msg_init (&msg);
        if (zmq_msg_recv (&msg, socket_, ZMQ_DONTWAIT) == -1) {
            const int err = zmq_errno ();
            zmq_msg_close (&msg);
            return used || err == EAGAIN ? used : -err;
        }
        if (first) {
            const unsigned id =
              metadata_id (reinterpret_cast<zmq::msg_t *> (&msg)->metadata ());
            memcpy (out_ + used, &id, 4);
            used += 4;
            if (type_ == ZMQ_SERVER) {
                const unsigned routing_id = zmq_msg_routing_id (&msg);
                memcpy (out_ + used, &routing_id, 4);
                used += 4;
            } else if (type_ == ZMQ_DISH) {
                const char *const group = zmq_msg_group (&msg);
                const unsigned length = strlen (group);
                memcpy (out_ + used, &length, 4);
                memcpy (out_ + used + 4, group, length);
                used += 4 + ((length + 3) & ~3u);
            }
        }
        const unsigned more = zmq_msg_more (&msg) ? 1u << 31 : 0;
        const unsigned size = zmq_msg_size (&msg);
        unsigned header = size | more;
        if (size <= largest_packed) {
            memcpy (out_ + used + 4, zmq_msg_data (&msg), size);
            zmq_msg_close (&msg);
        } else {
            header = 1u << 30 | more;
            zmq_msg_t *const kept = (zmq_msg_t *) malloc (sizeof (zmq_msg_t));
            alloc_assert (kept);
            memcpy (kept, &msg, sizeof msg);
            memcpy (out_ + used + 4, &kept, 4);
        }
        memcpy (out_ + used, &header, 4);
        used += 4 + (header & 1u << 30 ? 4 : (size + 3) & ~3u);
        first = !more;
        if (!more)
            max_messages_--;
    }
    return used;
}

//  The properties with this id, each "name\0value\0". Returns the length, or 0
//  when there is nothing to tell or the room is too small.
int zw_properties (unsigned id_, char *out_, int cap_)
{
    size_t index = known.size ();
    while (index > 0 && known[index - 1].id != id_)
        index--;
    if (index == 0)
        return 0;
    const zmq::metadata_t::dict_t &dict =
      known[index - 1].metadata->*look (metadata_dict_t ());
    std::string text;
    for (zmq::metadata_t::dict_t::const_iterator it = dict.begin ();
         it != dict.end (); ++it)
        text.append (it->first.c_str ()).append (1, '\0')
          .append (it->second.c_str ()).append (1, '\0');
    if (text.size () > (size_t) cap_)
        return 0;
    memcpy (out_, text.data (), text.size ());
    return text.size ();
}

//  ZMQ_EVENTS; reading it also drains the socket's mailbox.
int zw_events (void *socket_)
{
    int events = 0;
    size_t size = sizeof events;
    const int rc = zmq_getsockopt (socket_, ZMQ_EVENTS, &events, &size);
    return rc == -1 ? -zmq_errno () : events;
}

//  Moves up to `max` whole messages from one socket to another, as zmq_proxy
//  does. Returns how many; stops when either side is not ready.
int zw_forward (void *from_, void *to_, int max_)
{
    zmq::socket_base_t::counters_t
      *const from = &static_cast<zmq::socket_base_t *> (from_)->counters,
      *const to = &static_cast<zmq::socket_base_t *> (to_)->counters;
    int moved = 0;
    while (moved < max_) {
        if (!(zw_events (to_) & ZMQ_POLLOUT))
            break;
        zmq_msg_t msg;
        int more;
        int frames = 0;
        do {
            zmq_msg_init (&msg);
            if (zmq_msg_recv (&msg, from_, ZMQ_DONTWAIT) == -1) {
                const int err = zmq_errno ();
                zmq_msg_close (&msg);
                if (err == EAGAIN && frames == 0)
                    return moved;
                return -err;
            }
            more = zmq_msg_more (&msg);
            const size_t size = zmq_msg_size (&msg);
            if (zmq_msg_send (&msg, to_,
                              ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0))
                == -1) {
                const int err = zmq_errno ();
                zmq_msg_close (&msg);
                return -err;
            }
            frames++;
            from->bytes_received += size;
            to->bytes_sent += size;
        } while (more);
        from->messages_received++;
        to->messages_sent++;
        moved++;
    }
    return moved;
}

//  --- the pump

//  Returns 1 if work is left for another turn.
int zw_pump (int budget_)
{
    const bool done = zmq::host_poller_t::pump (budget_);
    zw_wipe_stack_if_used ();
    return done ? 0 : 1;
}

unsigned zw_next_timer ()
{
    return zmq::host_poller_t::next_timer ();
}

//  The slot of the next application socket that was signalled; -2 - slot if one
//  is gone; -1 if there is nothing to tell.
int zw_next_ready ()
{
    if (ready_slots.empty ()) {
        if (gone_slots.empty ())
            return -1;
        const int slot = gone_slots.back ();
        gone_slots.pop_back ();
        return -2 - slot;
    }
    const unsigned slot = ready_slots.back ();
    ready_slots.pop_back ();
    slot_queued[slot] = false;
    return slot;
}

//  --- what happened to an fd

//  `size_` more bytes arrived, which host_read will ask for.
void zw_input (int fd_, int size_)
{
    zw::entry (fd_)->input_size += size_;
    zmq::host_poller_t::notify (fd_);
}

void zw_connected (int fd_)
{
    zw::fd_entry_t *const e = zw::entry (fd_);
    e->connected = e->writable = true;
    zmq::host_poller_t::notify (fd_);
}

void zw_writable (int fd_)
{
    zw::entry (fd_)->writable = true;
    zmq::host_poller_t::notify (fd_);
}

void zw_eof (int fd_)
{
    zw::entry (fd_)->eof = true;
    zmq::host_poller_t::notify (fd_);
}

//  errno must be one that libzmq takes for a failure of the network.
void zw_failed (int fd_, int errno_)
{
    zw::entry (fd_)->error = errno_;
    zmq::host_poller_t::notify (fd_);
}

//  A connection was accepted: returns its fd, or -errno.
int zw_incoming (int listener_)
{
    if (zw_scarce (0))
        return -ENFILE;
    const int fd = zw::allocate (zw::stream_fd, zw::entry (listener_)->family);
    if (fd == -1)
        return -errno;
    zw::fd_entry_t *const e = zw::entry (listener_);
    zw::entry (fd)->connected = zw::entry (fd)->writable = true;
    if (e->family == AF_UNIX) {
        zw::entry (fd)->local = e->local;
        zw::entry (fd)->local_size = e->local_size;
    }
    if (e->accept_last)
        zw::entry (e->accept_last)->accept_next = fd;
    else
        e->accept_first = fd;
    e->accept_last = fd;
    zw::await_handshake (listener_, fd);
    zmq::host_poller_t::notify (listener_);
    return fd;
}

//  Our (0) or the peer's (1) address of a connection, from an IP literal;
//  an empty host means ipc,
//  where the path is known already at the end that has one.
void zw_set_address (int fd_, int peer_, const char *host_, int port_)
{
    zw::fd_entry_t *const e = zw::entry (fd_);
    sockaddr_storage *const addr = peer_ ? &e->peer : &e->local;
    socklen_t *const size = peer_ ? &e->peer_size : &e->local_size;
    if (*host_)
        *size = zw::to_sockaddr (host_, port_, e->family, addr);
    else if (!*size) {
        addr->ss_family = AF_UNIX;
        *size = 3;
    }
}

//  Sockets that exist: open ones, and closed ones not done with sending.
int zw_sockets (void *ctx_)
{
    return (static_cast<zmq::ctx_t *> (ctx_)->*look (ctx_sockets_t ())).size ();
}

//  Bytes that malloc has handed out.
unsigned zw_heap_used ()
{
    return mallinfo ().uordblks;
}
}
