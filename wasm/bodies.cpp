#include "precompiled.hpp"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <algorithm>

#include "zmq.h"
#include "err.hpp"
#include "msg.hpp"
#include "fd_table.hpp"
#include "imports.h"

//  Smaller ones cost more outside than their copies inside. (As ts/syscall/bodies.ts.)
static const uint64_t smallest_body = 32768;

static size_t longest_topic = 0;

extern "C" {

//  memory.c
size_t zw_memory_limit ();
int zw_scarce (size_t size_);

void *zw_body_new (uint64_t size_, int fd_, size_t left_)
{
    return size_ < smallest_body || size_ > INT32_MAX
             ? NULL
             : host_body_new (size_, fd_, left_);
}

void zw_body_free (void *data_, void *)
{
    host_body_free (data_);
}

void zw_body_follows (int fd_, int follows_)
{
    zw::entry (fd_)->more = follows_;
}

void zw_decrypts (int fd_)
{
    zw::entry (fd_)->decrypts = true;
}

int zw_bring_inside (void *msg_)
{
    zmq_msg_t *const msg = static_cast<zmq_msg_t *> (msg_);
    if (!zw_is_outside (zmq_msg_data (msg)))
        return 0;
    zmq_msg_t copy;
    if (zmq_msg_init_size (&copy, zmq_msg_size (msg)) == -1)
        return -1;
    memcpy (zmq_msg_data (&copy), zmq_msg_data (msg), zmq_msg_size (msg));
    zmq::msg_t *const from = reinterpret_cast<zmq::msg_t *> (msg),
                     *const to = reinterpret_cast<zmq::msg_t *> (&copy);
    to->set_flags (from->flags () & (zmq::msg_t::more | zmq::msg_t::command));
    return zmq_msg_move (msg, &copy);
}

//  How many frames a message of a peer may have: in JavaScript each is an object, too,
//  of some hundred bytes.
size_t zw_most_frames ()
{
    return zw_memory_limit () / 2048;
}

//  libzmq copies what a peer says of itself, and makes two nodes of a tree of a property of six
//  bytes. TypeScript has room for twice as much, with what a ZAP handler adds to it.
int zw_words_fit (size_t size_)
{
    static const size_t longest = 32768, copies = 32;
    return size_ <= longest && !zw_scarce (copies * size_);
}

//  Whether a message that a peer sent to a publisher may go on: if it subscribes, there must be
//  memory for the topic, a node for each byte and a table where it branches off, and the same
//  in manual mode. It is taken after the pump, which therefore ends before it is too much.
int zw_topic_fits (const void *msg_)
{
    zmq::msg_t *const msg =
      static_cast<zmq::msg_t *> (const_cast<void *> (msg_));
    size_t size;
    if (msg->is_subscribe ())
        size = msg->command_body_size ();
    else if (msg->size () && !zw_is_outside (msg->data ())
             && *static_cast<const unsigned char *> (msg->data ()) == 1)
        size = msg->size () - 1;
    else
        return 1;
    static const size_t node = 24, besides = 1536;
    //  To take it back needs 100 bytes for each of its own, which must be there then.
    if (size > zw_memory_limit () / 1024
        || zw_scarce (2 * (node * size + besides)))
        return 0;
    zmq::host_poller_t::owe (node * size + besides);
    return 1;
}

size_t zw_longest_topic ()
{
    return longest_topic;
}

void zw_topic_added (size_t size_)
{
    if (longest_topic < size_)
        longest_topic = size_;
}
}

zw_topic_t::zw_topic_t (void *data_, size_t size_) :
    _data (static_cast<unsigned char *> (data_)),
    _size (size_),
    _long (NULL)
{
    if (!zw_is_outside (data_))
        return;
    _size = std::min (size_, longest_topic);
    _data = _short;
    if (_size > sizeof _short) {
        _data = _long = static_cast<unsigned char *> (malloc (_size));
        alloc_assert (_long);
    }
    memcpy (_data, data_, _size);
}

zw_topic_t::~zw_topic_t ()
{
    free (_long);
}
