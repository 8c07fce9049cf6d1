/*  Replaces printf and what belongs to it: the C library's comes with numbers of many kinds,
    9 KB, and every program waits for it at its start, where libzmq names its threads and
    writes the port of an address.

    What libzmq and the C++ library use: %s %d %i %u %x %c %p %%, with l and z, no widths;
    anything else appears as it was written.  */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct
{
    char *to;
    size_t room, size;
} text_t;

static void add (text_t *text_, const char *bytes_, size_t size_)
{
    for (size_t i = 0; i < size_; i++, text_->size++)
        if (text_->size < text_->room)
            text_->to[text_->size] = bytes_[i];
}

static void add_number (text_t *text_, uint32_t value_, unsigned base_)
{
    char digits[16];
    size_t at = sizeof digits;
    do
        digits[--at] = "0123456789abcdef"[value_ % base_];
    while (value_ /= base_);
    add (text_, digits + at, sizeof digits - at);
}

int vsnprintf (char *restrict to_, size_t room_, const char *restrict format_, va_list args_)
{
    text_t text = {to_, room_, 0};
    for (const char *at = format_; *at; at++) {
        const char *const begin = at;
        if (*at != '%') {
            add (&text, at, 1);
            continue;
        }
        at++;
        if (*at == 'l' || *at == 'z')
            at++;
        if (*at == 's') {
            const char *const string = va_arg (args_, const char *);
            add (&text, string ? string : "(null)", strlen (string ? string : "(null)"));
        } else if (*at == 'd' || *at == 'i') {
            const int32_t value = va_arg (args_, int32_t);
            if (value < 0)
                add (&text, "-", 1);
            add_number (&text, value < 0 ? 0u - (uint32_t) value : (uint32_t) value, 10);
        } else if (*at == 'u')
            add_number (&text, va_arg (args_, uint32_t), 10);
        else if (*at == 'x' || *at == 'p')
            add_number (&text, va_arg (args_, uint32_t), 16);
        else if (*at == 'c') {
            const char character = (char) va_arg (args_, int);
            add (&text, &character, 1);
        } else if (*at == '%')
            add (&text, at, 1);
        else {
            add (&text, begin, strlen (begin));
            break;
        }
    }
    if (room_ > 0)
        to_[text.size < room_ ? text.size : room_ - 1] = 0;
    return (int) text.size;
}

#define LONGEST 1024

int vfprintf (FILE *restrict file_, const char *restrict format_, va_list args_)
{
    char text[LONGEST];
    const int size = vsnprintf (text, sizeof text, format_, args_);
    fwrite (text, 1, size < LONGEST ? (size_t) size : LONGEST - 1, file_);
    return size;
}

#define WITH_ARGUMENTS(call)                                                   \
    va_list args;                                                              \
    va_start (args, format_);                                                  \
    const int size = call;                                                     \
    va_end (args);                                                             \
    return size

int snprintf (char *restrict to_, size_t room_, const char *restrict format_, ...)
{
    WITH_ARGUMENTS (vsnprintf (to_, room_, format_, args));
}

int sprintf (char *restrict to_, const char *restrict format_, ...)
{
    WITH_ARGUMENTS (vsnprintf (to_, SIZE_MAX, format_, args));
}

int fprintf (FILE *restrict file_, const char *restrict format_, ...)
{
    WITH_ARGUMENTS (vfprintf (file_, format_, args));
}

/*  What the compiler calls where there are no fractions.  */
int siprintf (char *restrict to_, const char *restrict format_, ...)
    __attribute__ ((alias ("sprintf")));
int fiprintf (FILE *restrict file_, const char *restrict format_, ...)
    __attribute__ ((alias ("fprintf")));
int vfiprintf (FILE *restrict file_, const char *restrict format_, va_list args_)
    __attribute__ ((alias ("vfprintf")));
