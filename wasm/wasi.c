/*  What the C library asks of WASI, but for fd_write, which is an import, and what of it has
    but one answer: there are no arguments, no environment, and no files.  */
#include <errno.h>
#include <wasi/api.h>

#include "imports.h"

__wasi_errno_t __wasi_fd_close (__wasi_fd_t fd_)
{
    (void) fd_;
    return 0;
}

__wasi_errno_t __wasi_fd_seek (__wasi_fd_t fd_,
                               __wasi_filedelta_t offset_,
                               __wasi_whence_t whence_,
                               __wasi_filesize_t *position_)
{
    (void) fd_, (void) offset_, (void) whence_, (void) position_;
    return ESPIPE;
}

__wasi_errno_t __wasi_environ_get (uint8_t **environ_, uint8_t *buf_)
{
    (void) environ_, (void) buf_;
    return 0;
}

__wasi_errno_t __wasi_environ_sizes_get (__wasi_size_t *count_, __wasi_size_t *size_)
{
    *count_ = *size_ = 0;
    return 0;
}

_Noreturn void __wasi_proc_exit (__wasi_exitcode_t code_)
{
    host_exit (code_);
    __builtin_trap ();
}
