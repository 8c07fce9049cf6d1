/* What the tests call of libsodium and of box.c as they were compiled for the module, with
   lengths of 32 bits. Linked by build.sh into build/crypto.wasm, which is no part of the package. */

#include <sodium.h>

#include "crypto_stream/salsa20/stream_salsa20.h"
#include "crypto_stream/salsa20/ref/salsa20_ref.h"

#include "box.h"

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

/* The one that handshakes take. */
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

/* Which: 0 libsodium's, 1 ours with shifts, 2 ours with products. */
EXPORT int salsa20_xor_of (int which_, unsigned char *c_, const unsigned char *m_,
                           unsigned size_, const unsigned char *n_, unsigned high_,
                           unsigned low_, const unsigned char *k_)
{
    const uint64_t block = (uint64_t) high_ << 32 | low_;
    if (which_ == 0)
        return crypto_stream_salsa20_ref_implementation.stream_xor_ic (c_, m_, size_, n_,
                                                                       block, k_);
    zw_multiply (which_ == 2);
    zw_salsa20_xor (c_, m_, size_, n_, block, k_);
    return 0;
}

/* What CURVE sends messages in. The text's first byte comes from elsewhere. */
EXPORT int seal (int which_, unsigned char *c_, const unsigned char *m_, unsigned size_,
                 const unsigned char *n_, const unsigned char *k_)
{
    unsigned char key[ZW_BOX_KEY];
    zw_multiply (which_ == 2);
    zw_box_key (key, k_, n_);
    zw_box_seal (c_, m_[0], m_ + 1, size_ - 1, n_ + 16, key);
    return 0;
}

EXPORT int open (int which_, unsigned char *m_, const unsigned char *c_, unsigned size_,
                 const unsigned char *n_, const unsigned char *k_)
{
    unsigned char key[ZW_BOX_KEY];
    zw_multiply (which_ == 2);
    zw_box_key (key, k_, n_);
    return zw_box_open (m_ + 1, m_, c_, size_ - ZW_BOX_TAG - 1, n_ + 16, key);
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
