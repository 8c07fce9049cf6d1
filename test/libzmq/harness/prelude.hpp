/*  Read before each test program: its main gets a name that build.sh makes its
    own, as all programs are linked into one module.  */
#include <stdlib.h>
#define main                                                                   \
    zw_unused;                                                                 \
    extern "C" __attribute__ ((visibility ("default"))) int zw_main
