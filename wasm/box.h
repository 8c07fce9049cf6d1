/*  The boxes that CURVE sends messages in: NaCl's crypto_box, XSalsa20 and Poly1305,
    where the key of a connection and the first 16 bytes of the nonce stay the same.  */
#ifndef __ZW_BOX_H_INCLUDED__
#define __ZW_BOX_H_INCLUDED__

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZW_BOX_KEY 32
#define ZW_BOX_TAG 16
#define ZW_BOX_NONCE 8

//  What the key and the start of the nonce come to, which is a secret as the key is.
void zw_box_key (uint8_t *key_, const uint8_t *precomputed_, const uint8_t *nonce_start_);
//  A box takes ZW_BOX_TAG bytes, the first byte and the text, which may lie where it
//  will be, or elsewhere.
void zw_box_seal (uint8_t *box_, uint8_t first_, const uint8_t *text_, size_t size_,
                  const uint8_t *nonce_, const uint8_t *key_);
//  Opens a box with a text of this size, which may go to a place before the box's, also
//  onto its start. Returns -1, and writes nothing, if the box is not genuine.
int zw_box_open (uint8_t *text_, uint8_t *first_, const uint8_t *box_, size_t size_,
                 const uint8_t *nonce_, const uint8_t *key_);
//  For tests: the same cipher alone.
void zw_salsa20_xor (uint8_t *to_, const uint8_t *from_, size_t size_,
                     const uint8_t *nonce_, uint64_t block_, const uint8_t *key_);
//  Whether the engine multiplies faster than it shifts.
void zw_multiply (int multiply_);

#ifdef __cplusplus
}
#endif

#endif
