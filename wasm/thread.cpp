/*  Replaces libzmq's thread.cpp (same header): there are no threads.
    host_poller_t::start never asks for one; whoever does has found a bug.  */
#include "precompiled.hpp"
#include "macros.hpp"
#include "thread.hpp"
#include "err.hpp"

void zmq::thread_t::start (thread_fn *, void *, const char *)
{
    zmq_assert (!"threads are not available in WebAssembly");
}

bool zmq::thread_t::get_started () const
{
    return _started;
}

bool zmq::thread_t::is_current_thread () const
{
    return true;
}

void zmq::thread_t::stop ()
{
}

void zmq::thread_t::setSchedulingParameters (int, int, const std::set<int> &)
{
}

void zmq::thread_t::applySchedulingParameters ()
{
}
