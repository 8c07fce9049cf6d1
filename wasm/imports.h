/*  Everything C may ask of TypeScript: with exports.txt the whole boundary.
    ts/native/imports.ts implements each name; the build fails when the module
    imports anything else. None of these may call back into the module.
    Results: >= 0 on success, -errno (this module's numbering) on failure.

    The C library itself needs these of WASI, also implemented there:
    // wasi: fd_write
    // wasi: fd_close
    // wasi: fd_seek
    // wasi: proc_exit
    // wasi: environ_get
    // wasi: environ_sizes_get
*/
#ifndef ZW_IMPORTS_H
#define ZW_IMPORTS_H

#ifdef __cplusplus
extern "C" {
#endif

#define HOST(name) __attribute__ ((import_module ("host"), import_name (name)))

//  Monotonic milliseconds, with a fraction.
HOST ("now") double host_now (void);
//  Fills the memory with secure random bytes; throws when it cannot.
HOST ("random") void host_random (void *buf, unsigned len);
//  libzmq gave up: throws, the instance is dead afterwards.
HOST ("abort") void host_abort (void);

//  Starts connecting: family 4 or 6 with an IP literal or a name in `host`,
//  family 1 with a path. `source` is the local IP to bind to before, or empty.
HOST ("connect")
int host_connect (int fd, int family, const char *host, int len, int port,
                  const char *source, int source_len, int source_port);
//  Takes over the listener that was prepared for exactly these words (see
//  zw_bind_target) and returns the port really bound, 0 for family 1.
HOST ("listen")
int host_listen (int fd, int family, const char *host, int len, int port, int backlog);
//  Takes up to len bytes; returns how many, or -EAGAIN: zw_writable follows.
//  No bytes ask whether there is room. `more`: a body comes next, to go with them.
HOST ("send") int host_send (int fd, const void *buf, int len, int more);
//  Moves the next len bytes that arrived for this fd (zw_input told of at
//  least that many) to buf, where there is room for `room` bytes.
HOST ("read") void host_read (int fd, void *buf, int len, unsigned room);
//  An address for a body of so many bytes outside of the memory, or NULL; gives it
//  back; copies where an address, or both, are such.
HOST ("body_new") void *host_body_new (unsigned size);
HOST ("body_free") void host_body_free (void *body);
HOST ("copy") void host_copy (void *to, const void *from, unsigned len);
HOST ("close") void host_close (int fd);
HOST ("setsockopt") void host_setsockopt (int fd, int level, int name, int value);

//  Datagrams. Takes over the socket that was prepared for these words (see
//  zw_bind_target); one that is not bound is opened when it first sends.
HOST ("bind")
void host_bind (int fd, int family, const char *host, int len, int port);
//  The interface for datagrams to groups: an address (IPv4) or a name (IPv6).
HOST ("multicast_interface")
void host_multicast_interface (int fd, const char *text, int len);
//  Sends to an IP literal or a name. Returns 0 when it will take no more until
//  zw_writable.
HOST ("sendto")
int host_sendto (int fd, const void *buf, int size, int family, const char *host,
                 int len, int port);
struct host_sender_t
{
    int port, size; //  the size of the IP literal in `host`
    char host[64];
};
//  Moves the next datagram (zw_input told of it: its size counts datagrams
//  here) to buf, cut to `size`; returns its size.
HOST ("recvfrom")
int host_recvfrom (int fd, void *buf, int size, struct host_sender_t *sender);

//  Removes a file or an empty directory, unless it is a live listener's.
HOST ("remove") int host_remove (const char *path);
//  Writes "name address\n" for each address of each interface; returns the
//  length, which may exceed `cap`: then nothing was written.
HOST ("interfaces") int host_interfaces (char *text, int cap);

#ifdef __cplusplus
}
#endif
#endif
