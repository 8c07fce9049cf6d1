/*  Everything C may ask of TypeScript: with exports.txt the whole boundary.
    ts/native/imports.ts implements each name; the build fails when the module
    imports anything else. None of these may call back into the module.
    Results: >= 0 on success, -errno (this module's numbering) on failure.

    All but `now` have one shape: four words and a result. An engine compiles a function
    for each shape of import before a module can be instantiated, which took V8 as long as
    all else about the module. The host_ functions below are what C calls.

    The C library itself needs this of WASI, also implemented there (the rest is wasi.c):
    // wasi: fd_write
*/
#ifndef ZW_IMPORTS_H
#define ZW_IMPORTS_H

#ifdef __cplusplus
extern "C" {
#endif

//  What engines ask for at once, unless it is the rest of a larger message. Reads cost much
//  less than writes, and each connection takes twice the size of theirs: with 64 KiB 10,000
//  needed more memory than there may be.
#define ZW_IN_BATCH_SIZE 16384

#define HOST(name) __attribute__ ((import_module ("host"), import_name (name)))

//  Where to: family 4 or 6 with an IP literal or a name in `host`, family 1 with a path.
struct host_name_t
{
    const char *host;
    int size, family, port;
};
struct host_sender_t
{
    int port, size; //  the size of the IP literal in `host`
    char host[64];
};

//  Monotonic milliseconds, with a fraction.
HOST ("now") double host_now (void);

HOST ("random") int zw_import_random (void *buf, unsigned len, int, int);
HOST ("abort") int zw_import_abort (int, int, int, int);
HOST ("exit") int zw_import_exit (int code, int, int, int);
HOST ("connect")
int zw_import_connect (int fd, const struct host_name_t *to, const struct host_name_t *source, int);
HOST ("listen") int zw_import_listen (int fd, const struct host_name_t *at, int, int);
HOST ("send") int zw_import_send (int fd, const void *buf, int len, int more);
HOST ("read") int zw_import_read (int fd, void *buf, int len, unsigned room);
HOST ("body_new")
void *zw_import_body_new (unsigned size, int fd, unsigned left, int);
HOST ("body_free") int zw_import_body_free (void *body, int, int, int);
HOST ("copy") int zw_import_copy (void *to, const void *from, unsigned len, int);
HOST ("close") int zw_import_close (int fd, int linger, int, int);
HOST ("setsockopt") int zw_import_setsockopt (int fd, int level, int name, int value);
HOST ("bind") int zw_import_bind (int fd, const struct host_name_t *at, int, int);
HOST ("multicast_interface")
int zw_import_multicast_interface (int fd, const char *text, int len, int);
HOST ("sendto")
int zw_import_sendto (int fd, const void *buf, int size, const struct host_name_t *to);
HOST ("recvfrom")
int zw_import_recvfrom (int fd, void *buf, int size, struct host_sender_t *sender);
HOST ("interfaces") int zw_import_interfaces (char *text, int cap, int, int);

//  Fills the memory with secure random bytes; throws when it cannot.
static inline void host_random (void *buf, unsigned len)
{
    zw_import_random (buf, len, 0, 0);
}
//  libzmq gave up, or the C library: throws, the instance is dead afterwards.
static inline void host_abort (void)
{
    zw_import_abort (0, 0, 0, 0);
}
static inline void host_exit (int code)
{
    zw_import_exit (code, 0, 0, 0);
}

//  Starts connecting. `source` is the local IP to bind to before, or empty.
static inline int
host_connect (int fd, const struct host_name_t *to, const struct host_name_t *source)
{
    return zw_import_connect (fd, to, source, 0);
}
//  Takes over the listener that was prepared for exactly these words (see
//  zw_bind_target) and returns the port really bound, 0 for family 1.
static inline int host_listen (int fd, const struct host_name_t *at)
{
    return zw_import_listen (fd, at, 0, 0);
}
//  Takes up to len bytes; returns how many, or -EAGAIN: zw_writable follows.
//  No bytes ask whether there is room. `more`: a body comes next, to go with them.
static inline int host_send (int fd, const void *buf, int len, int more)
{
    return zw_import_send (fd, buf, len, more);
}
//  Moves the next len bytes that arrived for this fd (zw_input told of at
//  least that many) to buf, where there is room for `room` bytes: told if buf is the
//  address of a body, or what comes is decrypted, else 0.
static inline void host_read (int fd, void *buf, int len, unsigned room)
{
    zw_import_read (fd, buf, len, room);
}
//  An address for a body of so many bytes outside of the memory, or NULL: of all the
//  bytes of fd that were read the last left are of it. Gives it back; copies where an
//  address, or both, are such.
static inline void *host_body_new (unsigned size, int fd, unsigned left)
{
    return zw_import_body_new (size, fd, left, 0);
}
static inline void host_body_free (void *body)
{
    zw_import_body_free (body, 0, 0, 0);
}
static inline void host_copy (void *to, const void *from, unsigned len)
{
    zw_import_copy (to, from, len, 0);
}
//  What was sent and has not left yet has linger milliseconds for that; -1 is for ever.
static inline void host_close (int fd, int linger)
{
    zw_import_close (fd, linger, 0, 0);
}
static inline void host_setsockopt (int fd, int level, int name, int value)
{
    zw_import_setsockopt (fd, level, name, value);
}

//  Datagrams. Takes over the socket that was prepared for these words (see
//  zw_bind_target); one that is not bound is opened when it first sends.
static inline void host_bind (int fd, const struct host_name_t *at)
{
    zw_import_bind (fd, at, 0, 0);
}
//  The interface for datagrams to groups: an address (IPv4) or a name (IPv6).
static inline void host_multicast_interface (int fd, const char *text, int len)
{
    zw_import_multicast_interface (fd, text, len, 0);
}
//  Sends to an IP literal or a name. Returns 0 when it will take no more until
//  zw_writable.
static inline int
host_sendto (int fd, const void *buf, int size, const struct host_name_t *to)
{
    return zw_import_sendto (fd, buf, size, to);
}
//  Moves the next datagram (zw_input told of it: its size counts datagrams
//  here) to buf, cut to `size`; returns its size.
static inline int
host_recvfrom (int fd, void *buf, int size, struct host_sender_t *sender)
{
    return zw_import_recvfrom (fd, buf, size, sender);
}

//  Writes "name address\n" for each address of each interface; returns the
//  length, which may exceed `cap`: then nothing was written.
static inline int host_interfaces (char *text, int cap)
{
    return zw_import_interfaces (text, cap, 0, 0);
}

#ifdef __cplusplus
}
#endif
#endif
