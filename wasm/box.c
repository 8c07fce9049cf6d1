/*  Salsa20 for this kind of module, and the boxes of CURVE's messages out of it and
    Poly1305, in place of libsodium's. No branch and no address depends on a secret.

    libsodium's code for SSE2 keeps four blocks in sixteen registers, of which engines
    leave fifteen, and each step waits for the one before. Here are eight blocks in
    memory, so that there is always something to do that need not wait; and one or two more
    that need no vectors, for what they leave unused of a processor. And a box takes one
    pass over the text: its first bytes are not encrypted apart from the others, and it can
    be opened to a place before it. */
#include <string.h>
#include <wasm_simd128.h>

#include <sodium.h>

#include "box.h"

#define INLINE static inline __attribute__ ((always_inline))
#define BLOCK 64
#define LANES 8
//  Without vectors, at most.
#define SINGLES 2
//  So many take as long one by one.
#define FEW 3

//  Eight blocks, one in each lane, and the singles.
typedef struct
{
    v128_t sums[2][16];
    uint32_t singles[SINGLES][16];
} group_t;

typedef struct
{
    //  Constants, key and nonce, and the number of the next block in words 8 and 9.
    uint32_t words[16];
    //  Of what was made last, what has not been used.
    uint32_t at, end;
    group_t group;
    uint8_t stream[(LANES + SINGLES) * BLOCK];
} cipher_t;

//  --------------------------------------------- eight blocks, one in each lane

typedef struct
{
    v128_t by_7, by_9, by_13, by_18;
} factors_t;

//  A product comes last: it takes longer than the rest.
#define STEP(to, a, b, n)                                                                \
    do {                                                                                 \
        const v128_t sum = wasm_i32x4_add (a, b);                                        \
        if (!factors_)                                                                   \
            to = wasm_v128_xor (to, wasm_i32x4_shl (sum, n));                            \
        to = wasm_v128_xor (to, wasm_u32x4_shr (sum, 32 - n));                           \
        if (factors_)                                                                    \
            to = wasm_v128_xor (to, wasm_i32x4_mul (sum, factors_->by_##n));             \
    } while (0)

//  The compiler is not to keep in registers what does not fit there.
#define TO_MEMORY() __asm__ __volatile__ ("" : : : "memory")

//  The words of each quarter of a round.
static const int COLUMNS[4][4] =
  {{0, 4, 8, 12}, {5, 9, 13, 1}, {10, 14, 2, 6}, {15, 3, 7, 11}};
static const int ROWS[4][4] = {{0, 1, 2, 3}, {5, 6, 7, 4}, {10, 11, 8, 9}, {15, 12, 13, 14}};

//  Two quarters of a round of four blocks, of which neither waits for the other.
INLINE void half (v128_t s_[16], const factors_t *factors_, const int p_[4], const int q_[4])
{
    v128_t a = s_[p_[0]], b = s_[p_[1]], c = s_[p_[2]], d = s_[p_[3]];
    v128_t e = s_[q_[0]], f = s_[q_[1]], g = s_[q_[2]], h = s_[q_[3]];
    STEP (b, a, d, 7);
    STEP (f, e, h, 7);
    STEP (c, b, a, 9);
    STEP (g, f, e, 9);
    STEP (d, c, b, 13);
    STEP (h, g, f, 13);
    STEP (a, d, c, 18);
    STEP (e, h, g, 18);
    s_[p_[0]] = a, s_[p_[1]] = b, s_[p_[2]] = c, s_[p_[3]] = d;
    s_[q_[0]] = e, s_[q_[1]] = f, s_[q_[2]] = g, s_[q_[3]] = h;
    TO_MEMORY ();
}

INLINE uint32_t rotated (uint32_t word_, int n_)
{
    return word_ << n_ | word_ >> (32 - n_);
}

//  A quarter of a round of one block.
INLINE void quarter (uint32_t w_[16], const int q_[4])
{
    uint32_t a = w_[q_[0]], b = w_[q_[1]], c = w_[q_[2]], d = w_[q_[3]];
    b ^= rotated (a + d, 7);
    c ^= rotated (b + a, 9);
    d ^= rotated (c + b, 13);
    a ^= rotated (d + c, 18);
    w_[q_[0]] = a, w_[q_[1]] = b, w_[q_[2]] = c, w_[q_[3]] = d;
    TO_MEMORY ();
}

INLINE void one_round (group_t *g_, int singles_, const factors_t *factors_,
                       const int quarters_[4][4])
{
#pragma clang loop unroll(full)
    for (int k = 0; k < 2; k++) {
        half (g_->sums[k], factors_, quarters_[0], quarters_[1]);
        for (int i = 0; i < singles_; i++)
            quarter (g_->singles[i], quarters_[2 * k]);
        half (g_->sums[k], factors_, quarters_[2], quarters_[3]);
        for (int i = 0; i < singles_; i++)
            quarter (g_->singles[i], quarters_[2 * k + 1]);
    }
}

INLINE void rounds (group_t *g_, int singles_, const factors_t *factors_)
{
#pragma clang loop unroll(disable)
    for (int i = 0; i < 10; i++) {
        one_round (g_, singles_, factors_, COLUMNS);
        one_round (g_, singles_, factors_, ROWS);
    }
}

static __attribute__ ((noinline)) void rounds_with_shifts (group_t *g_)
{
    rounds (g_, 1, NULL);
}

INLINE void products (group_t *g_, int singles_)
{
    factors_t factors = {wasm_i32x4_splat (1 << 7), wasm_i32x4_splat (1 << 9),
                         wasm_i32x4_splat (1 << 13), wasm_i32x4_splat (1 << 18)};
    //  Or the compiler would shift.
    __asm__ ("" : "+r"(factors.by_7), "+r"(factors.by_9), "+r"(factors.by_13), "+r"(factors.by_18));
    rounds (g_, singles_, &factors);
}

static __attribute__ ((noinline)) void rounds_with_products (group_t *g_)
{
    products (g_, 1);
}

static __attribute__ ((noinline)) void rounds_of_two_singles (group_t *g_)
{
    products (g_, 2);
}

//  JavaScriptCore takes four instructions for a shift, and one for a product.
static int multiplies;

void zw_multiply (int multiply_)
{
    multiplies = multiply_;
}

//  The numbers of four blocks, the lower or the upper half of each.
INLINE v128_t numbers (uint64_t first_, int shift_)
{
    return wasm_u32x4_make (
      (uint32_t) (first_ >> shift_), (uint32_t) ((first_ + 1) >> shift_),
      (uint32_t) ((first_ + 2) >> shift_), (uint32_t) ((first_ + 3) >> shift_));
}

//  Word i_ of four blocks, before the rounds.
INLINE v128_t before (const uint32_t words_[16], int i_, uint64_t first_)
{
    return i_ == 8 || i_ == 9 ? numbers (first_, i_ == 8 ? 0 : 32) : wasm_u32x4_splat (words_[i_]);
}

#define LOWER(a, b) wasm_i32x4_shuffle (a, b, 0, 4, 1, 5)
#define UPPER(a, b) wasm_i32x4_shuffle (a, b, 2, 6, 3, 7)

//  Returns how many. Products leave more of a processor unused than shifts do; but of few
//  blocks a second single would come to nothing.
static uint32_t make_many (cipher_t *cipher_, uint64_t first_, size_t size_)
{
    const uint32_t singles = multiplies && size_ > 2 * (LANES + 1) * BLOCK ? 2 : 1;
    for (int k = 0; k < 2; k++)
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++)
            cipher_->group.sums[k][i] = before (cipher_->words, i, first_ + 4 * k);
    for (uint32_t j = 0; j < singles; j++) {
        const uint64_t number = first_ + LANES + j;
        memcpy (cipher_->group.singles[j], cipher_->words, sizeof cipher_->words);
        memcpy (cipher_->group.singles[j] + 8, &number, sizeof number);
    }
    if (!multiplies)
        rounds_with_shifts (&cipher_->group);
    else if (singles == 1)
        rounds_with_products (&cipher_->group);
    else
        rounds_of_two_singles (&cipher_->group);
    for (int k = 0; k < 2; k++) {
        uint8_t *const to = cipher_->stream + k * 4 * BLOCK;
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i += 4) {
            v128_t w[4];
#pragma clang loop unroll(full)
            for (int j = 0; j < 4; j++)
                w[j] = wasm_i32x4_add (cipher_->group.sums[k][i + j],
                                       before (cipher_->words, i + j, first_ + 4 * k));
            const v128_t ac = LOWER (w[0], w[2]), bd = LOWER (w[1], w[3]);
            const v128_t AC = UPPER (w[0], w[2]), BD = UPPER (w[1], w[3]);
            wasm_v128_store (to + 4 * i, LOWER (ac, bd));
            wasm_v128_store (to + 4 * i + BLOCK, UPPER (ac, bd));
            wasm_v128_store (to + 4 * i + 2 * BLOCK, LOWER (AC, BD));
            wasm_v128_store (to + 4 * i + 3 * BLOCK, UPPER (AC, BD));
        }
    }
    for (uint32_t j = 0; j < singles; j++) {
        const uint64_t number = first_ + LANES + j;
        memcpy (cipher_->words + 8, &number, sizeof number);
        for (int i = 0; i < 16; i++) {
            const uint32_t word = cipher_->group.singles[j][i] + cipher_->words[i];
            memcpy (cipher_->stream + (LANES + j) * BLOCK + 4 * i, &word, sizeof word);
        }
    }
    return LANES + singles;
}

//  ------------------------------------------ one block, a diagonal in each vector

static __attribute__ ((noinline)) void make_one (uint8_t *to_, const uint32_t w_[16])
{
    const factors_t *const factors_ = NULL;
    const v128_t A = wasm_u32x4_make (w_[0], w_[5], w_[10], w_[15]);
    const v128_t B = wasm_u32x4_make (w_[4], w_[9], w_[14], w_[3]);
    const v128_t C = wasm_u32x4_make (w_[8], w_[13], w_[2], w_[7]);
    const v128_t D = wasm_u32x4_make (w_[12], w_[1], w_[6], w_[11]);
    v128_t a = A, b = B, c = C, d = D, rest;
#pragma clang loop unroll(disable)
    for (int i = 0; i < 20; i++) {
        STEP (b, a, d, 7);
        STEP (c, b, a, 9);
        STEP (d, c, b, 13);
        STEP (a, d, c, 18);
        //  Rows become columns, and the other way round.
        rest = wasm_i32x4_shuffle (b, b, 3, 0, 1, 2);
        c = wasm_i32x4_shuffle (c, c, 2, 3, 0, 1);
        b = wasm_i32x4_shuffle (d, d, 1, 2, 3, 0);
        d = rest;
    }
    a = wasm_i32x4_add (a, A), b = wasm_i32x4_add (b, B);
    c = wasm_i32x4_add (c, C), d = wasm_i32x4_add (d, D);
    const v128_t ad = wasm_i32x4_shuffle (a, d, 0, 5, 2, 7);
    const v128_t da = wasm_i32x4_shuffle (d, a, 0, 5, 2, 7);
    const v128_t cb = wasm_i32x4_shuffle (c, b, 0, 5, 2, 7);
    const v128_t bc = wasm_i32x4_shuffle (b, c, 0, 5, 2, 7);
    wasm_v128_store (to_, wasm_i32x4_shuffle (ad, cb, 0, 1, 6, 7));
    wasm_v128_store (to_ + 16, wasm_i32x4_shuffle (bc, da, 0, 5, 6, 3));
    wasm_v128_store (to_ + 32, wasm_i32x4_shuffle (cb, ad, 0, 1, 6, 7));
    wasm_v128_store (to_ + 48, wasm_i32x4_shuffle (da, bc, 0, 5, 6, 3));
}

//  --------------------------------------------------------------- the cipher

//  The size is how much will be used, as far as that is known.
static void make (cipher_t *cipher_, size_t size_)
{
    uint64_t first;
    uint32_t count;
    memcpy (&first, cipher_->words + 8, sizeof first);
    if (size_ <= FEW * BLOCK) {
        count = ((uint32_t) size_ + BLOCK - 1) / BLOCK;
        for (uint32_t i = 0; i < count; i++) {
            const uint64_t block = first + i;
            memcpy (cipher_->words + 8, &block, sizeof block);
            make_one (cipher_->stream + i * BLOCK, cipher_->words);
        }
    } else
        count = make_many (cipher_, first, size_);
    first += count;
    memcpy (cipher_->words + 8, &first, sizeof first);
    cipher_->at = 0;
    cipher_->end = count * BLOCK;
}

static void begin (cipher_t *cipher_, const uint8_t *nonce_, uint64_t block_, const uint8_t *key_)
{
    uint32_t *const words = cipher_->words;
    words[0] = 0x61707865, words[5] = 0x3320646e, words[10] = 0x79622d32, words[15] = 0x6b206574;
    memcpy (words + 1, key_, 16);
    memcpy (words + 11, key_ + 16, 16);
    memcpy (words + 6, nonce_, ZW_BOX_NONCE);
    memcpy (words + 8, &block_, sizeof block_);
    cipher_->at = cipher_->end = 0;
}

//  The destination may overlap the source if it lies before it.
static void mix (cipher_t *cipher_, uint8_t *to_, const uint8_t *from_, size_t size_)
{
    while (size_ > 0) {
        if (cipher_->at == cipher_->end)
            make (cipher_, size_);
        const uint8_t *stream = cipher_->stream + cipher_->at;
        const size_t room = cipher_->end - cipher_->at;
        size_t part = size_ < room ? size_ : room;
        size_ -= part;
        cipher_->at += (uint32_t) part;
        for (; part >= 16; part -= 16, to_ += 16, from_ += 16, stream += 16)
            wasm_v128_store (to_, wasm_v128_xor (wasm_v128_load (from_), wasm_v128_load (stream)));
        for (; part > 0; part--)
            *to_++ = *from_++ ^ *stream++;
    }
}

void zw_salsa20_xor (uint8_t *to_, const uint8_t *from_, size_t size_,
                     const uint8_t *nonce_, uint64_t block_, const uint8_t *key_)
{
    cipher_t cipher;
    begin (&cipher, nonce_, block_, key_);
    mix (&cipher, to_, from_, size_);
    sodium_memzero (&cipher, sizeof cipher);
}

//  ---------------------------------------------------------------- the boxes

void zw_box_key (uint8_t *key_, const uint8_t *precomputed_, const uint8_t *nonce_start_)
{
    crypto_core_hsalsa20 (key_, nonce_start_, precomputed_, NULL);
}

//  The stream's first 32 bytes are the key of the tag.
#define TAG_KEY crypto_onetimeauth_KEYBYTES

void zw_box_seal (uint8_t *box_, uint8_t first_, const uint8_t *text_, size_t size_,
                  const uint8_t *nonce_, const uint8_t *key_)
{
    cipher_t cipher;
    uint8_t tag_key[TAG_KEY];
    begin (&cipher, nonce_, 0, key_);
    make (&cipher, TAG_KEY + 1 + size_);
    memcpy (tag_key, cipher.stream, TAG_KEY);
    box_[ZW_BOX_TAG] = first_ ^ cipher.stream[TAG_KEY];
    cipher.at = TAG_KEY + 1;
    mix (&cipher, box_ + ZW_BOX_TAG + 1, text_, size_);
    crypto_onetimeauth (box_, box_ + ZW_BOX_TAG, 1 + size_, tag_key);
    sodium_memzero (&cipher, sizeof cipher);
    sodium_memzero (tag_key, sizeof tag_key);
}

int zw_box_open (uint8_t *text_, uint8_t *first_, const uint8_t *box_, size_t size_,
                 const uint8_t *nonce_, const uint8_t *key_)
{
    cipher_t cipher;
    begin (&cipher, nonce_, 0, key_);
    make (&cipher, TAG_KEY + 1 + size_);
    const int rc =
      crypto_onetimeauth_verify (box_, box_ + ZW_BOX_TAG, 1 + size_, cipher.stream);
    if (rc == 0) {
        *first_ = box_[ZW_BOX_TAG] ^ cipher.stream[TAG_KEY];
        cipher.at = TAG_KEY + 1;
        mix (&cipher, text_, box_ + ZW_BOX_TAG + 1, size_);
    }
    sodium_memzero (&cipher, sizeof cipher);
    return rc;
}
