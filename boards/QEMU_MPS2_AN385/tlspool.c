#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "mbedtls/build_info.h"
#include "mbedtls/platform_util.h"
#include "tlspool.h"

// What Mbed TLS adds to the content for header, IV, MAC and padding (ssl_misc.h, MBEDTLS_SSL_PAYLOAD_OVERHEAD) is less.
#define OVERHEAD            (352)
#define RECEIVE_SIZE        (MBEDTLS_SSL_IN_CONTENT_LEN + OVERHEAD)
#define SEND_SIZE           (MBEDTLS_SSL_OUT_CONTENT_LEN + OVERHEAD)

void *__real_m_tracked_calloc(size_t count, size_t size);
void __real_m_tracked_free(void *p);

typedef struct {
    size_t size;
    uint8_t *memory;
    bool used[TLSPOOL_CONNECTIONS];
} shelf_t;

static uint32_t receive_memory[TLSPOOL_CONNECTIONS][RECEIVE_SIZE / 4];
static uint32_t send_memory[TLSPOOL_CONNECTIONS][SEND_SIZE / 4];
static shelf_t send_shelf = { SEND_SIZE, (uint8_t *)send_memory, { false } };
static shelf_t receive_shelf = { RECEIVE_SIZE, (uint8_t *)receive_memory, { false } };
static size_t peak;

static void *take(shelf_t *shelf, size_t size) {
    for (size_t i = 0; i < TLSPOOL_CONNECTIONS; i++) {
        if (!shelf->used[i]) {
            shelf->used[i] = true;
            return memset(shelf->memory + i * shelf->size, 0, size);
        }
    }
    return NULL;
}

static bool give_back(shelf_t *shelf, void *p) {
    uint8_t *at = p;
    if (at < shelf->memory || at >= shelf->memory + TLSPOOL_CONNECTIONS * shelf->size) {
        return false;
    }
    mbedtls_platform_zeroize(at, shelf->size);
    shelf->used[(size_t)(at - shelf->memory) / shelf->size] = false;
    return true;
}

// The linker puts these two in place of m_tracked_calloc and m_tracked_free (--wrap). A size is a record buffer's when
// it is in the narrow band above the content length.
void *__wrap_m_tracked_calloc(size_t count, size_t size) {
    void *p = NULL;
    if (count == 1 && size > MBEDTLS_SSL_IN_CONTENT_LEN && size <= RECEIVE_SIZE) {
        p = take(&receive_shelf, size);
        peak = tlspool_used() > peak ? tlspool_used() : peak;
    } else if (count == 1 && size > MBEDTLS_SSL_OUT_CONTENT_LEN && size <= SEND_SIZE) {
        p = take(&send_shelf, size);
    }
    return p != NULL ? p : __real_m_tracked_calloc(count, size);
}

void __wrap_m_tracked_free(void *p) {
    if (!give_back(&receive_shelf, p) && !give_back(&send_shelf, p)) {
        __real_m_tracked_free(p);
    }
}

size_t tlspool_size(void) {
    return sizeof(receive_memory) + sizeof(send_memory);
}

size_t tlspool_used(void) {
    size_t n = 0;
    for (size_t i = 0; i < TLSPOOL_CONNECTIONS; i++) {
        n += receive_shelf.used[i];
    }
    return n;
}

size_t tlspool_peak(void) {
    return peak;
}
