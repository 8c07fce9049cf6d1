/*  In place of wasm/memory.c: the sanitizer brings its own memcpy and allocator,
    and the memory it has is not what a context was given.  */
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#undef zw_wipe_stack
#undef zw_wipe_stack_if_used

size_t __sanitizer_get_current_allocated_bytes (void);

static unsigned limit;

void zw_limit_memory (unsigned bytes_)
{
    limit = bytes_;
}

size_t zw_memory_limit (void)
{
    return limit;
}

//  As there, but by what is allocated, not by where memory ends.
int zw_scarce (size_t size_)
{
    const size_t line = limit - limit / 4;
    const size_t used = __sanitizer_get_current_allocated_bytes ();
    return used > line || size_ > line - used;
}

struct mallinfo zw_mallinfo (void)
{
    struct mallinfo info = {0};
    info.uordblks = __sanitizer_get_current_allocated_bytes ();
    return info;
}

void zw_wipe_stack (void)
{
}

void zw_wipe_stack_if_used (void)
{
}

//  How much freed memory is kept, to see who still uses it; containers that other
//  objects fill without telling would be taken for faults.
const char *__asan_default_options (void)
{
    return "quarantine_size_mb=16:detect_leaks=0:detect_container_overflow=0:"
           "detect_stack_use_after_return=0:allocator_may_return_null=1:"
           "symbolize=0:color=never";
}

//  Does what the sanitizers are there to find.
__attribute__ ((visibility ("default"))) int zw_fault (int kind_, int one_)
{
    char *volatile block = malloc (10);
    volatile int result = 0;
    if (kind_ == 0)
        result = block[9 + one_];
    free (block);
    if (kind_ == 1)
        result = block[0];
    if (kind_ == 2)
        result = 0x7fffffff + one_;
    if (kind_ == 3)
        result = *(int *) (intptr_t) (one_ * 8);
    if (kind_ == 4)
        result = 1 << (30 + 2 * one_);
    return result;
}
