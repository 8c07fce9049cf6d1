/*  The configuration of libzmq for this build: what upstream's CMake would
    have probed. Probing is wrong here: under Emscripten headers and symbols
    exist (eventfd, fork, getifaddrs, …) whose behaviour does not.  */
#ifndef __ZMQ_PLATFORM_HPP_INCLUDED__
#define __ZMQ_PLATFORM_HPP_INCLUDED__

//  The one poller: pumped by the JavaScript event loop (host_poller.hpp).
#define ZMQ_IOTHREAD_POLLER_USE_HOST
#define ZMQ_POLL_BASED_ON_POLL
//  A wait that could block fails loudly, see posix.cpp, pthread_cond_wait.
#define ZMQ_USE_CV_IMPL_PTHREADS

#define ZMQ_CACHELINE_SIZE 64
#define HAVE_CLOCK_GETTIME
#define HAVE_MKDTEMP
#define HAVE_STRNLEN
#define HAVE_IF_NAMETOINDEX
#define HAVE_ACCEPT4
#define ZMQ_HAVE_UIO
#define ZMQ_HAVE_NOEXCEPT
#define ZMQ_HAVE_STRLCPY // musl declares it
#define ZMQ_HAVE_SOCK_CLOEXEC
#define ZMQ_HAVE_SO_KEEPALIVE
#define ZMQ_HAVE_TCP_KEEPCNT
#define ZMQ_HAVE_TCP_KEEPIDLE
#define ZMQ_HAVE_TCP_KEEPINTVL
//  GNU userland as far as ip_resolver.cpp asks: interface names resolve
//  through getifaddrs, which posix.cpp answers from the host.
#define ZMQ_HAVE_GNU
#define ZMQ_HAVE_IFADDRS

#define ZMQ_HAVE_IPC
#define ZMQ_HAVE_WS
#define ZMQ_USE_BUILTIN_SHA1
#define ZMQ_BUILD_DRAFT_API
#define ZMQ_USE_RADIX_TREE
#define ZMQ_HAVE_CURVE
#define ZMQ_USE_LIBSODIUM
#define SODIUM_STATIC

#include "bodies.hpp"

#endif
