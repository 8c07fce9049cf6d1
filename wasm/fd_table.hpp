/*  The file descriptors of this module: sockets whose other half lives in
    TypeScript, and signalers, which never leave the module.  */
#ifndef ZW_FD_TABLE_HPP
#define ZW_FD_TABLE_HPP

#include <stddef.h>
#include <sys/socket.h>
#include "host_poller.hpp"

namespace zw
{
enum kind_t
{
    free_fd,
    signal_fd, //  a counter, see signaler.cpp
    fresh_fd,  //  socket() was called
    stream_fd, //  connecting or connected
    listen_fd,
    datagram_fd
};

struct fd_entry_t
{
    kind_t kind;
    int family;
    zmq::host_poller_t::watch_t *watch;

    //  signal_fd: how many signals wait, and whom to tell when no poller
    //  watches: the slot + 1 of an application socket (api.cpp), or 0.
    unsigned signals;
    unsigned slot;

    //  stream_fd; of these datagram_fd uses writable and input_size
    bool connected, writable, eof;
    bool more; //  the body of a message follows what is sent next
    bool decrypts; //  messages that come are
    int asks;  //  how often to ask yet where the next bytes belong, as large
               //  messages come
    int heads; //  so many reads are of a head at most, which a large message may
               //  follow: it had better be whole where the host has it
    int error;                 //  pending SO_ERROR, consumed by who reads it
    size_t input_size; //  bytes (datagram_fd: datagrams) that arrived and
                       //  were not yet read
    struct sockaddr_storage local, peer;
    socklen_t local_size, peer_size;

    //  listen_fd: accepted connections in order, linked by their fd
    int accept_first, accept_last;
    int accept_next; //  of a stream_fd in such a queue

    //  Accepted connections whose handshake is not over, oldest first, linked
    //  by their fd in a ring through the listener.
    int older, younger;
    int pending;  //  of a listen_fd: how many
    int listener; //  of such a connection
    unsigned since; //  when its wait began, in milliseconds modulo 2^32
    unsigned stood; //  of a listen_fd: handshakes that succeeded; of such a
                    //  connection: how many had when its wait began
    void *socket; //  of a connection that counts, of which socket
    int linger; //  milliseconds that what was sent has to leave after close; -1 is for ever
};

//  Whether the host can have sockets of AF_INET6, for all that is known.
extern bool has_ipv6;
//  After a large message, the end of one and the begin of the next may arrive apart.
const int asks = 2;
//  Never NULL for an fd that libzmq holds.
fd_entry_t *entry (int fd_);
//  -1 with errno EMFILE when the table is full.
int allocate (kind_t kind_, int family_);
void release (int fd_);
//  A connection was accepted: its handshake is awaited. When far too many are, the
//  oldest is lost.
void await_handshake (int listener_, int fd_);
//  Where too many are awaited those are lost that had their time.
void lose_late ();
//  When the next of them is due, on the clock of host_now; or 0.
double next_late ();
//  Whether the fd has something for in_event, out_event.
bool readable (const fd_entry_t *e_);
bool writable (const fd_entry_t *e_);
//  Tells the application socket of this slot, in api.cpp: there is a signal, or
//  the socket is gone.
void app_ready (unsigned slot_);
void app_gone (unsigned slot_);
//  A connection of this socket stands (1) or is over (-1), in counters.cpp.
void count_connection (void *socket_, int change_);
//  Whether a context has this socket, in api.cpp.
bool is_there (void *ctx_, const void *socket_);
}

#endif
