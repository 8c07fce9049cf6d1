/* The parts of libsodium that need an operating system, over the host.

   libsodium's own core.c, runtime.c and randombytes.c are not compiled, and the
   allocator and sodium_memzero of its utils.c are renamed out of the way (see
   build.sh): there are no pages to protect here, so secrets are only wiped when
   they are freed, and the stack of functions that worked with them when the
   module is done with what it was called for. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "imports.h"

/* Chosen once from what the processor can do; the portable ones, here. */
int _crypto_onetimeauth_poly1305_pick_best_implementation (void);
int _crypto_scalarmult_curve25519_pick_best_implementation (void);
int _crypto_stream_salsa20_pick_best_implementation (void);

int sodium_init (void)
{
    static int done;
    if (done)
        return 1;
    _crypto_onetimeauth_poly1305_pick_best_implementation ();
    _crypto_scalarmult_curve25519_pick_best_implementation ();
    _crypto_stream_salsa20_pick_best_implementation ();
    done = 1;
    return 0;
}

void sodium_misuse (void)
{
    abort ();
}

/* Who wipes what it kept has worked with secrets, on the stack too. */
static int secrets_on_stack;

void sodium_memzero (void *const bytes_, const size_t size_)
{
    secrets_on_stack = 1;
    memset (bytes_, 0, size_);
    /* So that the compiler cannot leave it out because nobody reads it. */
    __asm__ __volatile__ ("" : : "r"(bytes_) : "memory");
}

/* Deeper than the handshake of CURVE ever goes. */
#define STACK_WIPED 65536

/* What lies below the caller's frame: nobody's now. The stack grows down, from
   __heap_base to __data_end. */
void zw_wipe_stack (void)
{
    extern unsigned char __data_end;
    unsigned char here;
    const uintptr_t end = (uintptr_t) &__data_end;
    const uintptr_t top = (uintptr_t) &here & ~(uintptr_t) 15;
    const uintptr_t from = top - end > STACK_WIPED ? top - STACK_WIPED : end;
    memset ((void *) from, 0, top - from);
    __asm__ __volatile__ ("" : : "r"(from) : "memory");
    secrets_on_stack = 0;
}

void zw_wipe_stack_if_used (void)
{
    if (secrets_on_stack)
        zw_wipe_stack ();
}

void randombytes_buf (void *const bytes_, const size_t size_)
{
    if (size_ > 0)
        host_random (bytes_, size_);
}

void randombytes (unsigned char *const bytes_, const unsigned long long size_)
{
    if (size_ > SIZE_MAX)
        sodium_misuse ();
    randombytes_buf (bytes_, (size_t) size_);
}

uint32_t randombytes_random (void)
{
    uint32_t value;
    randombytes_buf (&value, sizeof value);
    return value;
}

uint32_t randombytes_uniform (const uint32_t bound_)
{
    uint32_t value, least;
    if (bound_ < 2)
        return 0;
    /* Below 2^32 mod bound the values would favour the small remainders. */
    least = (1U + ~bound_) % bound_;
    do
        value = randombytes_random ();
    while (value < least);
    return value % bound_;
}

void randombytes_stir (void)
{
}

int randombytes_close (void)
{
    return 0;
}

/* In front of each block, and as wide as malloc's alignment. */
typedef union
{
    size_t size;
    max_align_t align;
} header_t;

void *sodium_malloc (const size_t size_)
{
    header_t *block;
    if (size_ > SIZE_MAX - sizeof *block) {
        errno = ENOMEM;
        return NULL;
    }
    block = (header_t *) calloc (1, sizeof *block + size_);
    if (!block)
        return NULL;
    block->size = size_;
    return block + 1;
}

void *sodium_allocarray (size_t count_, size_t size_)
{
    if (count_ > 0 && size_ > SIZE_MAX / count_) {
        errno = ENOMEM;
        return NULL;
    }
    return sodium_malloc (count_ * size_);
}

void sodium_free (void *bytes_)
{
    header_t *block;
    if (!bytes_)
        return;
    block = (header_t *) bytes_ - 1;
    sodium_memzero (bytes_, block->size);
    free (block);
}
