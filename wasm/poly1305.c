/*  Poly1305 for this kind of module, in place of libsodium's: a sum over the
    blocks of a message, times powers of a secret r, modulo 2^130 - 5. No branch
    and no address depends on a secret.

    Engines have no products of 64 bits by 64. What is short is multiplied in
    words of 32 bits, as r has four zero bits on top of each: 20 products for a
    block, where limbs of 26 bits take 25. What is long goes through vectors:
    four blocks side by side in ten limbs of 13 bits, because the one instruction
    that multiplies eight numbers at once, i32x4.dot_i16x8, takes such.  */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wasm_simd128.h>

#include <sodium.h>

#include "crypto_onetimeauth/poly1305/onetimeauth_poly1305.h"

#define BLOCK 16
//  Below, preparing the powers of r costs more than the vectors save.
#define VECTORS_FROM 2048
#define INLINE static inline __attribute__ ((always_inline))

typedef struct
{
    //  h is the sum so far; h[1] may have a few bits more than 32, h[4] has 3.
    uint64_t h[5];
    uint32_t r[4], pad[4];
    //  What does not fill a block yet.
    uint32_t left;
    unsigned char rest[BLOCK];
} state_t;

INLINE uint32_t word (const unsigned char *from_)
{
    uint32_t w;
    memcpy (&w, from_, sizeof w);
    return w;
}

//  Carries from each word to the next one.
INLINE void carry_words (uint64_t h_[5])
{
    for (int i = 0; i < 4; i++) {
        h_[i + 1] += h_[i] >> 32;
        h_[i] = (uint32_t) h_[i];
    }
}

//  Takes whole blocks; bit_ is what follows the last byte of each.
static void absorb (state_t *state_, const unsigned char *m_, size_t size_, unsigned bit_)
{
    //  2^130 is 5, so what comes to stand above 2^128 counts 5/4 times; r[1] to
    //  r[3] are multiples of 4.
    const uint64_t r0 = state_->r[0], r1 = state_->r[1], r2 = state_->r[2], r3 = state_->r[3];
    const uint64_t s1 = r1 + (r1 >> 2), s2 = r2 + (r2 >> 2), s3 = r3 + (r3 >> 2);
    uint64_t h0 = state_->h[0], h1 = state_->h[1], h2 = state_->h[2], h3 = state_->h[3];
    uint64_t h4 = state_->h[4], d0, d1, d2, d3, d4;
    for (; size_ >= BLOCK; m_ += BLOCK, size_ -= BLOCK) {
        h0 += word (m_);
        h1 += word (m_ + 4);
        h2 += word (m_ + 8);
        h3 += word (m_ + 12);
        h4 += bit_;
        //  h < 2^33 + 4, r < 2^28, s < 5/4 * 2^28: no sum reaches 2^64.
        d0 = h0 * r0 + h1 * s3 + h2 * s2 + h3 * s1;
        d1 = h0 * r1 + h1 * r0 + h2 * s3 + h3 * s2 + h4 * s1;
        d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s3 + h4 * s2;
        d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s3;
        d4 = h4 * r0;
        d1 += d0 >> 32;
        d2 += d1 >> 32;
        d3 += d2 >> 32;
        d4 += d3 >> 32;
        h4 = d4 & 3;
        d4 >>= 2;
        h0 = (uint32_t) d0 + d4 + (d4 << 2);
        h1 = (uint32_t) d1 + (h0 >> 32);
        h0 = (uint32_t) h0;
        h2 = (uint32_t) d2;
        h3 = (uint32_t) d3;
    }
    state_->h[0] = h0, state_->h[1] = h1, state_->h[2] = h2, state_->h[3] = h3, state_->h[4] = h4;
}

//  ------------------------------------------------------------ with vectors

#define LIMBS 10
#define BITS 13
#define LIMB_MASK 0x1fff
#define PIECE_MASK 0x3ffffff
#define FOUR (4 * BLOCK)

//  A factor: at[8 + n] has its limbs n and n - 1, side by side in each lane. Limbs
//  below 0 are those from the other end, five times. All are between -2^12 and
//  2^12 + 5, so that five times still is within 16 bits.
typedef struct
{
    v128_t at[18];
} factor_t;

//  Of this size memcpy would be a call of the engine.
INLINE void move_limbs (v128_t to_[LIMBS], const v128_t from_[LIMBS])
{
#pragma clang loop unroll(full)
    for (int i = 0; i < LIMBS; i++)
        to_[i] = from_[i];
}

INLINE v128_t times_5 (v128_t v_)
{
    return wasm_i32x4_add (v_, wasm_i32x4_shl (v_, 2));
}

//  In each lane. Where JavaScriptCore can see that one is constant, it makes it anew for
//  each use, in three instructions: 28 us for 64 KB instead of 23.
typedef struct
{
    v128_t limb, piece, top;
} masks_t;

INLINE masks_t masks (void)
{
    static const volatile int32_t limb = LIMB_MASK, piece = PIECE_MASK, top = 1 << 24;
    const masks_t masks = {wasm_i32x4_splat (limb), wasm_i32x4_splat (piece),
                           wasm_i32x4_splat (top)};
    return masks;
}

//  Carries limb i_. What is carried may be negative, the limb is not then.
INLINE void carry_limb (v128_t d_[LIMBS], int i_, const masks_t *masks_)
{
    const v128_t c = wasm_i32x4_shr (d_[i_], BITS);
    const int next = i_ == LIMBS - 1 ? 0 : i_ + 1;
    d_[i_] = wasm_v128_and (d_[i_], masks_->limb);
    d_[next] = wasm_i32x4_add (d_[next], next ? c : times_5 (c));
}

//  Two chains at once, because each step waits for the one before. Afterwards
//  limbs 1 and 7 are within 2^13 +- 2^8, the others within 0 and 2^13.
INLINE void carry (v128_t d_[LIMBS], const masks_t *masks_)
{
    static const int order[] = {0, 6, 1, 7, 2, 8, 3, 9, 4, 0, 5, 6};
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++)
        carry_limb (d_, order[i], masks_);
}

//  The product of a carried sum and a factor: at most 10 * 5 * 2^12 * (2^13 + 2^8),
//  and the next blocks, is below 2^31.
INLINE void multiply (v128_t product_[LIMBS], const v128_t d_[LIMBS], const factor_t *factor_)
{
    v128_t pairs[LIMBS / 2];
    for (int i = 0; i < LIMBS / 2; i++)
        pairs[i] = wasm_v128_or (d_[2 * i], wasm_i32x4_shl (d_[2 * i + 1], 16));
#pragma clang loop unroll(full)
    for (int k = 0; k < LIMBS; k++) {
        v128_t sum = wasm_i32x4_dot_i16x8 (pairs[0], factor_->at[8 + k]);
#pragma clang loop unroll(full)
        for (int i = 1; i < LIMBS / 2; i++)
            sum = wasm_i32x4_add (
              sum, wasm_i32x4_dot_i16x8 (pairs[i], factor_->at[8 + k - 2 * i]));
        product_[k] = sum;
    }
}

//  Adds numbers of 128 bits, in pieces of 26 bits; top_ is what is above them, 24 bits up.
INLINE void add (v128_t d_[LIMBS], v128_t w0_, v128_t w1_, v128_t w2_, v128_t w3_, v128_t top_,
                 const masks_t *masks_)
{
    const v128_t mask = masks_->piece;
#define PIECE(low, right, high, left)                                                    \
    wasm_v128_and (wasm_v128_or (wasm_u32x4_shr (low, right), wasm_i32x4_shl (high, left)), mask)
    d_[0] = wasm_i32x4_add (d_[0], wasm_v128_and (w0_, mask));
    d_[2] = wasm_i32x4_add (d_[2], PIECE (w0_, 26, w1_, 6));
    d_[4] = wasm_i32x4_add (d_[4], PIECE (w1_, 20, w2_, 12));
    d_[6] = wasm_i32x4_add (d_[6], PIECE (w2_, 14, w3_, 18));
    d_[8] = wasm_i32x4_add (d_[8], wasm_v128_or (wasm_u32x4_shr (w3_, 8), top_));
}

//  Adds four blocks, one in each lane.
INLINE void add_blocks (v128_t d_[LIMBS], const unsigned char *m_, const masks_t *masks_)
{
#define LOWER(a, b) wasm_i32x4_shuffle (a, b, 0, 4, 1, 5)
#define UPPER(a, b) wasm_i32x4_shuffle (a, b, 2, 6, 3, 7)
    const v128_t a = wasm_v128_load (m_), b = wasm_v128_load (m_ + BLOCK);
    const v128_t c = wasm_v128_load (m_ + 2 * BLOCK), d = wasm_v128_load (m_ + 3 * BLOCK);
    const v128_t ac = LOWER (a, c), bd = LOWER (b, d), AC = UPPER (a, c), BD = UPPER (b, d);
    add (d_, LOWER (ac, bd), UPPER (ac, bd), LOWER (AC, BD), UPPER (AC, BD),
         masks_->top, masks_);
}

//  Makes a factor of a carried number.
static __attribute__ ((noinline)) void make_factor (factor_t *factor_, const v128_t d_[LIMBS])
{
    v128_t limbs[LIMBS], fives[LIMBS];
    move_limbs (limbs, d_);
    for (int i = 0; i < LIMBS; i++) {
        const v128_t half = wasm_i32x4_splat (1 << (BITS - 1));
        const v128_t c = wasm_i32x4_shr (wasm_i32x4_add (limbs[i], half), BITS);
        const int next = i == LIMBS - 1 ? 0 : i + 1;
        limbs[i] = wasm_i32x4_sub (limbs[i], wasm_i32x4_shl (c, BITS));
        limbs[next] = wasm_i32x4_add (limbs[next], next ? c : times_5 (c));
    }
    for (int i = 0; i < LIMBS; i++)
        fives[i] = times_5 (limbs[i]);
    for (int n = -8; n < LIMBS; n++) {
        const v128_t low = n < 0 ? fives[LIMBS + n] : limbs[n];
        const v128_t high = n < 1 ? fives[LIMBS + n - 1] : limbs[n - 1];
        factor_->at[8 + n] = wasm_v128_or (wasm_v128_and (low, wasm_i32x4_splat (0xffff)),
                                           wasm_i32x4_shl (high, 16));
    }
}

static __attribute__ ((noinline)) void
multiply_and_carry (v128_t d_[LIMBS], const factor_t *factor_, const masks_t *masks_)
{
    v128_t product[LIMBS];
    multiply (product, d_, factor_);
    carry (product, masks_);
    move_limbs (d_, product);
}

//  Each lane of d_ becomes the sum over every fourth block.
static __attribute__ ((noinline)) void
absorb_fours (v128_t d_[LIMBS], const unsigned char *m_, const unsigned char *end_,
              const factor_t *r4_, const masks_t *masks_)
{
    v128_t d[LIMBS];
    const masks_t masks = *masks_;
    move_limbs (d, d_);
    for (;;) {
        v128_t product[LIMBS];
        add_blocks (d, m_, &masks);
        carry (d, &masks);
        m_ += FOUR;
        if (m_ == end_)
            break;
        multiply (product, d, r4_);
        move_limbs (d, product);
    }
    move_limbs (d_, d);
}

//  Takes four blocks, or eight, and so on.
static void absorb_with_vectors (state_t *state_, const unsigned char *m_, size_t size_)
{
    const v128_t zero = wasm_i32x4_splat (0);
    const masks_t m = masks ();
    struct
    {
        factor_t all, last;
        v128_t r[LIMBS], power[LIMBS], d[LIMBS];
    } s;
    uint64_t *const h = state_->h;
    memset (&s, 0, sizeof s);
#define EACH(i) wasm_i32x4_splat (state_->r[i])
    add (s.r, EACH (0), EACH (1), EACH (2), EACH (3), zero, &m);
    carry (s.r, &m);
    make_factor (&s.all, s.r);
    move_limbs (s.power, s.r);
    multiply_and_carry (s.power, &s.all, &m);
    //  Of r * r, r * r, 1, 1 and r * r, r, r * r, r: what the lanes need in the end.
    for (int i = 0; i < LIMBS; i++) {
        s.d[i] = wasm_i32x4_shuffle (s.power[i], s.r[i], 0, 4, 1, 5);
        s.power[i] =
          wasm_i32x4_shuffle (s.power[i], wasm_i32x4_splat (i == 0), 0, 1, 4, 5);
    }
    make_factor (&s.last, s.d);
    multiply_and_carry (s.power, &s.last, &m);
    make_factor (&s.last, s.power);
    //  And the fourth power for each lane until then.
    for (int i = 0; i < 18; i++)
        s.all.at[i] = wasm_i32x4_shuffle (s.last.at[i], s.last.at[i], 0, 0, 0, 0);

    //  The sum so far goes before the first block.
#define FIRST(i) wasm_i32x4_make ((int32_t) h[i], 0, 0, 0)
    carry_words (h);
    memset (s.d, 0, sizeof s.d);
    add (s.d, FIRST (0), FIRST (1), FIRST (2), FIRST (3),
         wasm_i32x4_make ((int32_t) h[4] << 24, 0, 0, 0), &m);
    absorb_fours (s.d, m_, m_ + size_, &s.all, &m);
    multiply_and_carry (s.d, &s.last, &m);

    int64_t t[LIMBS];
    for (int i = 0; i < LIMBS; i++)
        t[i] = (int64_t) wasm_i32x4_extract_lane (s.d[i], 0) + wasm_i32x4_extract_lane (s.d[i], 1)
               + wasm_i32x4_extract_lane (s.d[i], 2) + wasm_i32x4_extract_lane (s.d[i], 3);
    //  Limbs 1 and 7 may be negative: with 2^130 - 5 more the whole is not.
    t[0] -= 5;
    t[9] += 1 << BITS;
    int64_t c = t[0] + t[1] * (1 << 13) + t[2] * (1 << 26);
    h[0] = (uint32_t) c;
    c = (c >> 32) + t[3] * (1 << 7) + t[4] * (1 << 20);
    h[1] = (uint32_t) c;
    c = (c >> 32) + t[5] * (1 << 1) + t[6] * (1 << 14) + t[7] * (1 << 27);
    h[2] = (uint32_t) c;
    c = (c >> 32) + t[8] * (1 << 8) + t[9] * (1 << 21);
    h[3] = (uint32_t) c;
    c >>= 32;
    h[4] = c & 3;
    h[0] += (c >> 2) * 5;
    h[1] += h[0] >> 32;
    h[0] = (uint32_t) h[0];
    sodium_memzero (&s, sizeof s);
    sodium_memzero (t, sizeof t);
}

//  ------------------------------------------------- as libsodium wants it

static int init (crypto_onetimeauth_poly1305_state *state_, const unsigned char *key_)
{
    state_t *const state = (state_t *) (void *) state_;
    _Static_assert (sizeof (state_t) <= sizeof *state_, "the state does not fit");
    memset (state, 0, sizeof *state);
    for (int i = 0; i < 4; i++) {
        state->r[i] = word (key_ + 4 * i) & (i == 0 ? 0x0fffffff : 0x0ffffffc);
        state->pad[i] = word (key_ + BLOCK + 4 * i);
    }
    return 0;
}

static int update (crypto_onetimeauth_poly1305_state *state_, const unsigned char *m_,
                   unsigned long long size_)
{
    state_t *const state = (state_t *) (void *) state_;
    size_t size = (size_t) size_, part;
    if (state->left > 0) {
        part = BLOCK - state->left < size ? BLOCK - state->left : size;
        memcpy (state->rest + state->left, m_, part);
        state->left += part;
        m_ += part;
        size -= part;
        if (state->left < BLOCK)
            return 0;
        absorb (state, state->rest, BLOCK, 1);
        state->left = 0;
    }
    if (size >= VECTORS_FROM) {
        part = size / FOUR * FOUR;
        absorb_with_vectors (state, m_, part);
        m_ += part;
        size -= part;
    }
    part = size / BLOCK * BLOCK;
    absorb (state, m_, part, 1);
    state->left = size - part;
    if (state->left > 0)
        memcpy (state->rest, m_ + part, state->left);
    return 0;
}

static int final (crypto_onetimeauth_poly1305_state *state_, unsigned char *out_)
{
    state_t *const state = (state_t *) (void *) state_;
    uint64_t *const h = state->h;
    uint64_t sum[5], mask, c;
    if (state->left > 0) {
        state->rest[state->left++] = 1;
        memset (state->rest + state->left, 0, BLOCK - state->left);
        absorb (state, state->rest, BLOCK, 0);
    }
    //  Below 2^130 + a little, then below 2^130.
    for (int i = 0; i < 2; i++) {
        carry_words (h);
        h[0] += (h[4] >> 2) * 5;
        h[4] &= 3;
    }
    carry_words (h);
    //  With 5 more it reaches 2^130 if it was not below 2^130 - 5.
    memcpy (sum, h, sizeof sum);
    sum[0] += 5;
    carry_words (sum);
    mask = -(sum[4] >> 2);
    c = 0;
    for (int i = 0; i < 4; i++) {
        c += ((h[i] & ~mask) | (sum[i] & mask)) + state->pad[i];
        const uint32_t w = (uint32_t) c;
        memcpy (out_ + 4 * i, &w, sizeof w);
        c >>= 32;
    }
    sodium_memzero (state, sizeof *state);
    return 0;
}

static int
once (unsigned char *out_, const unsigned char *m_, unsigned long long size_, const unsigned char *key_)
{
    crypto_onetimeauth_poly1305_state state;
    init (&state, key_);
    update (&state, m_, size_);
    return final (&state, out_);
}

static int
verify (const unsigned char *tag_, const unsigned char *m_, unsigned long long size_, const unsigned char *key_)
{
    unsigned char right[BLOCK];
    once (right, m_, size_, key_);
    return crypto_verify_16 (tag_, right);
}

//  build.sh gives libsodium this name for the one it would take.
struct crypto_onetimeauth_poly1305_implementation zw_poly1305 = {
  .onetimeauth = once,
  .onetimeauth_verify = verify,
  .onetimeauth_init = init,
  .onetimeauth_update = update,
  .onetimeauth_final = final,
};
