/*  Messages on their way in and out, and what is known of the connections they
    came by: in batches, because a crossing costs more than a small message.
    Functions that can fail return -errno.  */
#include "precompiled.hpp"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <algorithm>
#include <string>
#include <vector>

#include "zmq.h"
#include "err.hpp"
#include "metadata.hpp"
#include "msg.hpp"
#include "socket_base.hpp"
#include "bodies.hpp"
#include "messages.hpp"
#include "show.hpp"

//  libzmq does not tell which properties a connection has, nor who else holds them.
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
//  In the order of their ids.
static std::vector<known_t> known;
static unsigned last_id = 0;
//  Where they are: index + 1, at the first free place from the hash on; 0 is free.
static std::vector<unsigned> places;

//  The place of a connection, or where it would be.
static unsigned &place (const zmq::metadata_t *metadata_)
{
    const size_t mask = places.size () - 1;
    size_t at = reinterpret_cast<uintptr_t> (metadata_) * 2654435761u >> 8;
    for (at &= mask; places[at]; at = (at + 1) & mask)
        if (known[places[at] - 1].metadata == metadata_)
            break;
    return places[at];
}

//  With room for as many again.
static void find_places ()
{
    size_t size = 64;
    while (size < known.size () * 4)
        size *= 2;
    places.assign (size, 0);
    for (size_t i = 0; i < known.size (); i++)
        place (known[i].metadata) = i + 1;
}

void zw::forget_properties ()
{
    size_t kept = 0;
    for (size_t i = 0; i < known.size (); i++)
        if ((known[i].metadata->*look (metadata_count_t ())).get () == 1) {
            known[i].metadata->drop_ref ();
            delete known[i].metadata;
        } else
            known[kept++] = known[i];
    if (kept == known.size ())
        return;
    known.resize (kept);
    find_places ();
}

//  Before a batch and not within it: TypeScript asks for what is new when it has
//  the batch, and its connections may be gone already.
static void forget_some ()
{
    static size_t enough = 64;
    if (known.size () < enough)
        return;
    zw::forget_properties ();
    enough = std::max<size_t> (64, known.size () * 2);
}

//  0 means none, as for inproc.
static unsigned metadata_id (zmq::metadata_t *metadata_)
{
    if (!metadata_)
        return 0;
    if (places.size () <= known.size () * 2)
        find_places ();
    unsigned &found = place (metadata_);
    if (!found) {
        const known_t entry = {metadata_, ++last_id};
        metadata_->add_ref ();
        known.push_back (entry);
        found = known.size ();
    }
    return known[found - 1].id;
}

static bool comes_before (const known_t &one_, unsigned id_)
{
    return one_.id < id_;
}

static int result (int rc_)
{
    return rc_ == -1 ? -zmq_errno () : rc_;
}

struct parcel_t;

extern "C" {

void zw_parcel_free (parcel_t *parcel_);
int zw_events (void *socket_); //  pipes.cpp

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

//  There is no memory for a parcel: gives back the bodies of which `in_` still tells.
static void give_back (const unsigned *in_, int count_)
{
    for (; count_ > 0; count_--) {
        if (*in_ == ~0u) {
            zw_body_free ((void *) in_[2], NULL);
            in_ += 3;
            continue;
        }
        const unsigned size = *in_ & 0x7fffffff, follow = *in_ >> 31;
        in_ += 1 + (follow ? (size + 3) / 4 : 0);
    }
}

//  `in_` holds a word for each frame: its size, and bit 31 if its bytes follow
//  the word, padded to words; otherwise the caller writes them itself (see
//  zw_parcel_data). All bits set: the size and the address of a body follow, which
//  is the parcel's from then on. Returns NULL when there is no memory; the bodies are gone then.
parcel_t *zw_parcel_new (const unsigned *in_, int count_)
{
    parcel_t *const parcel =
      (parcel_t *) malloc (sizeof (parcel_t) + sizeof (zmq_msg_t) * count_);
    if (!parcel) {
        give_back (in_, count_);
        return NULL;
    }
    for (parcel->count = 0; parcel->count < count_; parcel->count++) {
        zmq_msg_t *const frame = &parcel->frames[parcel->count];
        if (*in_ == ~0u) {
            if (zmq_msg_init_data (frame, (void *) in_[2], in_[1], zw_body_free,
                                   NULL)
                != 0) {
                give_back (in_, count_ - parcel->count);
                zw_parcel_free (parcel);
                return NULL;
            }
            in_ += 3;
            continue;
        }
        const unsigned size = *in_ & 0x7fffffff;
        if (zmq_msg_init_size (frame, size) != 0) {
            give_back (in_, count_ - parcel->count);
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

//  To a multiple of 8: what begins there may be numbers of that size.
static unsigned padded (unsigned size_)
{
    return (size_ + 7) & ~7u;
}

//  Packs messages into `out`. Each frame has two words and then its bytes, padded
//  so that those of all frames begin at multiples of 8: programs read numbers where
//  they lie. The first word: the id of its connection's properties (zw_properties)
//  for the first frame of a message, else nothing. The second: bit 31, more frames
//  of this message follow; bit 30, too large to pack, a zmq_msg_t pointer and a word
//  of nothing stand for the bytes, to be freed by the caller; the rest: the size of a
//  packed frame in bytes. A message from a SERVER has two more words before it, the
//  routing id and nothing; one from a DISH the size of the group, nothing, and the
//  group itself.
//  A message is not begun when `out` may be too small, but it may end with the
//  next call: `begun_` says that the last one left one unfinished.
//  Returns the length, 0 when nothing is there, or -errno.
int zw_recv (void *socket_, unsigned char *out_, int cap_, int max_messages_, int type_, int begun_)
{
    static const int largest_packed = 4096, largest_origin = 8 + 256;
    int used = 0;
    bool first = !begun_;
    forget_some ();
    while (max_messages_ > 0 && cap_ - used >= largest_origin + 8 + largest_packed) {
        zmq_msg_t msg;
        zmq_msg_init (&msg);
        if (zmq_msg_recv (&msg, socket_, ZMQ_DONTWAIT) == -1) {
            const int err = zmq_errno ();
            zmq_msg_close (&msg);
            return used || err == EAGAIN ? used : -err;
        }
        unsigned head[2] = {0, 0};
        if (first) {
            if (type_ == ZMQ_SERVER) {
                const unsigned origin[2] = {zmq_msg_routing_id (&msg), 0};
                memcpy (out_ + used, origin, 8);
                used += 8;
            } else if (type_ == ZMQ_DISH) {
                const char *const group = zmq_msg_group (&msg);
                const unsigned origin[2] = {(unsigned) strlen (group), 0};
                memcpy (out_ + used, origin, 8);
                memcpy (out_ + used + 8, group, origin[0]);
                used += 8 + padded (origin[0]);
            }
            head[0] =
              metadata_id (reinterpret_cast<zmq::msg_t *> (&msg)->metadata ());
        }
        const unsigned more = zmq_msg_more (&msg) ? 1u << 31 : 0;
        const unsigned size = zmq_msg_size (&msg);
        if (size <= largest_packed) {
            head[1] = size | more;
            memcpy (out_ + used + 8, zmq_msg_data (&msg), size);
            zmq_msg_close (&msg);
        } else {
            head[1] = 1u << 30 | more;
            zmq_msg_t *const kept = (zmq_msg_t *) malloc (sizeof (zmq_msg_t));
            alloc_assert (kept);
            memcpy (kept, &msg, sizeof msg);
            memcpy (out_ + used + 8, &kept, 4);
        }
        memcpy (out_ + used, head, 8);
        used += 8 + (size <= largest_packed ? padded (size) : 8);
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
    const std::vector<known_t>::const_iterator found =
      std::lower_bound (known.begin (), known.end (), id_, comes_before);
    if (found == known.end () || found->id != id_)
        return 0;
    const zmq::metadata_t::dict_t &dict =
      found->metadata->*look (metadata_dict_t ());
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
}
