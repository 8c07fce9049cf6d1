/*  Bodies of large messages, which lie outside of the memory (ts/syscall/bodies.ts).
    Their addresses are those from 2 GiB on, which the memory never has: whoever looks
    at the bytes himself traps. memcpy and memmove copy from and to them, send and recv
    have the host take them from there and put them there; all else in libzmq only
    hands pointers about, but for the places where patches call these functions.  */
#ifndef __ZW_BODIES_HPP_INCLUDED__
#define __ZW_BODIES_HPP_INCLUDED__

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline int zw_is_outside (const void *data_)
{
    return (intptr_t) data_ < 0;
}

//  A body for a message that a peer has announced; NULL if it is small, or there is
//  no room: then it is to lie in the memory. Of the bytes of fd_ that were read, the
//  last left_ are of it.
void *zw_body_new (uint64_t size_, int fd_, size_t left_);
//  For zmq_msg_init_data.
void zw_body_free (void *data_, void *);
//  What is sent next goes together with a body that follows, or alone.
void zw_body_follows (int fd_, int follows_);
//  Messages that come from fd_ are decrypted from now on.
void zw_decrypts (int fd_);
//  Makes a message lie in the memory (a zmq_msg_t or zmq::msg_t). Returns -1 with
//  errno ENOMEM if there is no room.
int zw_bring_inside (void *msg_);
//  Whether a command of a handshake, or a routing id, of this size may be looked at.
int zw_words_fit (size_t size_);
//  A topic of this size was subscribed to.
void zw_topic_added (size_t size_);

#ifdef __cplusplus
}

//  The bytes of a message that topics can match, in the memory.
class zw_topic_t
{
  public:
    zw_topic_t (void *data_, size_t size_);
    ~zw_topic_t ();
    unsigned char *data () const { return _data; }
    size_t size () const { return _size; }

  private:
    unsigned char *_data;
    size_t _size;
    unsigned char _short[256];
    unsigned char *_long;

    zw_topic_t (const zw_topic_t &);
    zw_topic_t &operator= (const zw_topic_t &);
};
#endif

#endif
