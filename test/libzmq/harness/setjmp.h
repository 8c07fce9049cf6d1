/*  Goes before the C library's: Unity leaves a failed test with longjmp, which
    here drops the fiber that runs the test (see waits.cpp).  */
#ifndef ZW_TEST_SETJMP_H
#define ZW_TEST_SETJMP_H

#ifdef __cplusplus
extern "C" {
#endif

typedef int jmp_buf[1];
__attribute__ ((import_module ("test"), import_name ("leave"), noreturn)) void
test_leave (void);
#define setjmp(frame) ((void) (frame), 0)
#define longjmp(frame, value) test_leave ()

#ifdef __cplusplus
}
#endif
#endif
