// The compiler, for lwIP. stdint.h and byte order come from lwIP's own defaults.
#ifndef IPCERT_LWIP_CC_H
#define IPCERT_LWIP_CC_H

#include <stdint.h>

#define LWIP_NO_INTTYPES_H          1
#define LWIP_NO_UNISTD_H            1
#define LWIP_NO_CTYPE_H             1
#define U8_F  "u"
#define S8_F  "d"
#define X8_F  "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "u"

#define LWIP_PLATFORM_DIAG(x)
void lwip_assert_failed(const char *message) __attribute__((noreturn));
#define LWIP_PLATFORM_ASSERT(message) lwip_assert_failed(message)

#endif // IPCERT_LWIP_CC_H
