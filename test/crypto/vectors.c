/* What the tests call of libsodium as it was compiled for the module, with lengths of
   32 bits. Linked by build.sh into build/crypto.wasm, which is no part of the package. */

#include <sodium.h>

#include "crypto_stream/salsa20/stream_salsa20.h"
#include "crypto_stream/salsa20/ref/salsa20_ref.h"
#include "crypto_stream/salsa20/xmm6int/salsa20_xmm6int-sse2.h"

#define EXPORT __attribute__ ((visibility ("default")))

static void ready (void)
{
    if (sodium_init () < 0)
        sodium_misuse ();
}

EXPORT int x25519 (unsigned char *q_, const unsigned char *n_, const unsigned char *p_)
{
    ready ();
    return crypto_scalarmult (q_, n_, p_);
}

EXPORT int x25519_base (unsigned char *q_, const unsigned char *n_)
{
    ready ();
    return crypto_scalarmult_base (q_, n_);
}

EXPORT int poly1305 (unsigned char *out_, const unsigned char *in_, unsigned size_,
                     const unsigned char *k_)
{
    ready ();
    return crypto_onetimeauth (out_, in_, size_, k_);
}

/* The same in two parts. */
EXPORT int poly1305_parts (unsigned char *out_, const unsigned char *in_, unsigned first_,
                           unsigned second_, const unsigned char *k_)
{
    crypto_onetimeauth_state state;
    ready ();
    crypto_onetimeauth_init (&state, k_);
    crypto_onetimeauth_update (&state, in_, first_);
    crypto_onetimeauth_update (&state, in_ + first_, second_);
    return crypto_onetimeauth_final (&state, out_);
}

EXPORT int hsalsa20 (unsigned char *out_, const unsigned char *in_, const unsigned char *k_)
{
    return crypto_core_hsalsa20 (out_, in_, k_, NULL);
}

/* The one that the module takes. */
EXPORT int salsa20 (unsigned char *c_, unsigned size_, const unsigned char *n_,
                    const unsigned char *k_)
{
    ready ();
    return crypto_stream_salsa20 (c_, size_, n_, k_);
}

EXPORT int xsalsa20 (unsigned char *c_, unsigned size_, const unsigned char *n_,
                     const unsigned char *k_)
{
    ready ();
    return crypto_stream_xsalsa20 (c_, size_, n_, k_);
}

static const crypto_stream_salsa20_implementation *implementation (int simd_)
{
    return simd_ ? &crypto_stream_salsa20_xmm6int_sse2_implementation
                 : &crypto_stream_salsa20_ref_implementation;
}

EXPORT int salsa20_of (int simd_, unsigned char *c_, unsigned size_,
                       const unsigned char *n_, const unsigned char *k_)
{
    return implementation (simd_)->stream (c_, size_, n_, k_);
}

EXPORT int salsa20_xor_of (int simd_, unsigned char *c_, const unsigned char *m_,
                           unsigned size_, const unsigned char *n_, unsigned high_,
                           unsigned low_, const unsigned char *k_)
{
    return implementation (simd_)->stream_xor_ic (
      c_, m_, size_, n_, (uint64_t) high_ << 32 | low_, k_);
}

EXPORT int secretbox (unsigned char *c_, const unsigned char *m_, unsigned size_,
                      const unsigned char *n_, const unsigned char *k_)
{
    ready ();
    return crypto_secretbox_easy (c_, m_, size_, n_, k_);
}

EXPORT int secretbox_open (unsigned char *m_, const unsigned char *c_, unsigned size_,
                           const unsigned char *n_, const unsigned char *k_)
{
    ready ();
    return crypto_secretbox_open_easy (m_, c_, size_, n_, k_);
}

EXPORT int box (unsigned char *c_, const unsigned char *m_, unsigned size_,
                const unsigned char *n_, const unsigned char *pk_,
                const unsigned char *sk_)
{
    ready ();
    return crypto_box_easy (c_, m_, size_, n_, pk_, sk_);
}
