// Module tlsserver: a TLS server that chooses its certificate by ALPN and SNI, which MicroPython's tls (up to 1.29) cannot.
//
// Not a patch. The stock source is compiled as a part of this file, because its context is a private structure, and the
// stock object is left empty (micropython.mk). It needs Mbed TLS 3.x with MBEDTLS_SSL_ALPN and
// MBEDTLS_SSL_SERVER_NAME_INDICATION.
//
//     tlsserver.choose(context, alpn, chooser)
//
// context   a tls.SSLContext(tls.PROTOCOL_TLS_SERVER); its own certificate is never sent
// alpn      tuple of protocol names that the server speaks, the favourite first; () for none
// chooser   called as chooser(sni, protocol) during each handshake: sni is the client's server_name as str or None,
//           protocol the agreed ALPN name or None. It answers a Certificate, or None: the client then gets the alert
//           unrecognized_name (RFC 6066 3); or False: no_application_protocol, as if the server did not speak that
//           protocol. When it raises, the alert is internal_error. It must not wait.
//
//     tlsserver.Certificate(chain, key)
//
// A chain (leaf first) and its private key, str or bytes, each PEM or DER. ValueError when they cannot be read or do not
// belong together. A fifth of the size of a context. A certificate in DER may be a tls-alpn-01 challenge's (RFC 8737 3).
//
//     tlsserver.chosen(connection)
//
// The Certificate that the chooser answered in this connection's handshake, or None before that.
//
//     tlsserver.protocol(connection)
//
// The ALPN name that was agreed on in this connection's handshake, or None.
//
// A client that offers only protocols not in alpn gets no_application_protocol (RFC 7301 3.2), from Mbed TLS itself.
#include "extmod/modtls_mbedtls.c"
#include "py/mperrno.h"
#include "mbedtls/entropy.h"

// Where Mbed TLS gets its entropy: from the board, or from the operating system.
#if defined(MBEDTLS_ENTROPY_HARDWARE_ALT)
#define entropy_poll mbedtls_hardware_poll
#else
#define entropy_poll mbedtls_platform_entropy_poll
#endif
int entropy_poll(void *data, unsigned char *output, size_t len, size_t *olen);

#if MICROPY_PY_SSL && MICROPY_SSL_MBEDTLS

#if !defined(MBEDTLS_SSL_ALPN) || !defined(MBEDTLS_SSL_SERVER_NAME_INDICATION)
#error tlsserver needs MBEDTLS_SSL_ALPN and MBEDTLS_SSL_SERVER_NAME_INDICATION
#endif

// RFC 6066 3: a host name. More than this is no name.
#define SNI_MAX (253)

// Lives as long as the context: the collector finds it through the context's configuration.
typedef struct {
    mp_obj_t chooser;
    const char *alpn[]; // ends with NULL
} choice_t;

// Printable ASCII and not too long: what else a client sends is nobody's name, and is not handed to Python.
static bool is_name(const unsigned char *name, size_t len) {
    if (len == 0 || len > SNI_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (name[i] <= ' ' || name[i] > '~') {
            return false;
        }
    }
    return true;
}

// Mbed TLS's memory, like all that hangs on it: 416 bytes that live for days would be in the middle of the GC heap.
typedef struct {
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
} pair_t;

typedef struct {
    mp_obj_base_t base;
    pair_t *pair;
} certificate_t;

static const mp_obj_type_t certificate_type;

static int random_bytes(void *unused, unsigned char *out, size_t len) {
    (void)unused;
    size_t got = 0;
    int ret = entropy_poll(NULL, out, len, &got);
    return ret == 0 && got == len ? 0 : MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}

// Mbed TLS refuses critical extensions that it does not know. This one is known here: id-pe-acmeIdentifier (RFC 8737 6.1).
static int known_extension(void *unused, const mbedtls_x509_crt *crt, const mbedtls_x509_buf *oid, int critical,
    const unsigned char *p, const unsigned char *end) {
    (void)unused;
    (void)crt;
    (void)critical;
    (void)p;
    (void)end;
    static const unsigned char acme_identifier[] = { 0x2b, 6, 1, 5, 5, 7, 1, 31 };
    bool is = oid->len == sizeof(acme_identifier) && memcmp(oid->p, acme_identifier, oid->len) == 0;
    return is ? 0 : MBEDTLS_ERR_X509_INVALID_EXTENSIONS;
}

static int read_chain(mbedtls_x509_crt *chain, const unsigned char *data, size_t len) {
    if (len > 0 && data[0] == (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)) {
        return mbedtls_x509_crt_parse_der_with_ext_cb(chain, data, len, 1, known_extension, NULL);
    }
    return mbedtls_x509_crt_parse(chain, data, len);
}

static void free_pair(certificate_t *self) {
    if (self->pair != NULL) {
        mbedtls_x509_crt_free(&self->pair->chain);
        mbedtls_pk_free(&self->pair->key); // zeroised by Mbed TLS
        mbedtls_free(self->pair);
        self->pair = NULL;
    }
}

static mp_obj_t certificate_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    size_t chain_len, key_len;
    const unsigned char *chain = asn1_get_data(args[0], &chain_len);
    const unsigned char *key = asn1_get_data(args[1], &key_len);
    certificate_t *self = mp_obj_malloc_with_finaliser(certificate_t, type);
    self->pair = NULL; // for the finaliser
    pair_t *pair = self->pair = mbedtls_calloc(1, sizeof(pair_t));
    if (pair == NULL) {
        mp_raise_OSError(MP_ENOMEM);
    }
    mbedtls_x509_crt_init(&pair->chain);
    mbedtls_pk_init(&pair->key);
    int ret = mbedtls_pk_parse_key(&pair->key, key, key_len, NULL, 0, random_bytes, NULL);
    if (ret == 0) {
        ret = read_chain(&pair->chain, chain, chain_len);
    }
    if (ret == 0) {
        ret = mbedtls_pk_check_pair(&pair->chain.pk, &pair->key, random_bytes, NULL);
    }
    if (ret != 0) {
        free_pair(self);
        if (ret == MBEDTLS_ERR_X509_ALLOC_FAILED || ret == MBEDTLS_ERR_PK_ALLOC_FAILED || ret == MBEDTLS_ERR_MPI_ALLOC_FAILED) {
            mp_raise_OSError(MP_ENOMEM);
        }
        mp_raise_ValueError(MP_ERROR_TEXT("the chain or its key cannot be read, or they are not a pair"));
    }
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t certificate_del(mp_obj_t self_in) {
    free_pair(MP_OBJ_TO_PTR(self_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(certificate_del_obj, certificate_del);

static const mp_rom_map_elem_t certificate_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&certificate_del_obj) },
};
static MP_DEFINE_CONST_DICT(certificate_locals, certificate_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    certificate_type,
    MP_QSTR_Certificate,
    MP_TYPE_FLAG_NONE,
    make_new, certificate_make_new,
    locals_dict, &certificate_locals
    );

static int refuse(mbedtls_ssl_context *ssl, unsigned char alert, int error) {
    mbedtls_ssl_send_alert_message(ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
    return error;
}

// Called by Mbed TLS once the ClientHello has been read. Nothing may be thrown through it.
static int choose_certificate(mbedtls_ssl_context *ssl) {
    choice_t *choice = mbedtls_ssl_conf_get_user_data_p((mbedtls_ssl_config *)mbedtls_ssl_context_get_config(ssl));
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
        return refuse(ssl, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR, MBEDTLS_ERR_SSL_INTERNAL_ERROR);
    }
    size_t len;
    const unsigned char *name = mbedtls_ssl_get_hs_sni(ssl, &len);
    const char *protocol = mbedtls_ssl_get_alpn_protocol(ssl);
    mp_obj_t chosen = mp_const_none;
    if (name == NULL || is_name(name, len)) {
        chosen = mp_call_function_2(choice->chooser,
            name == NULL ? mp_const_none : mp_obj_new_str((const char *)name, len),
            protocol == NULL ? mp_const_none : mp_obj_new_str_from_cstr(protocol));
    }
    nlr_pop();
    if (chosen == mp_const_false) {
        return refuse(ssl, MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL, MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL);
    }
    if (chosen == mp_const_none) {
        return refuse(ssl, MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME, MBEDTLS_ERR_SSL_UNRECOGNIZED_NAME);
    }
    if (!mp_obj_is_type(chosen, &certificate_type)) {
        return refuse(ssl, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR, MBEDTLS_ERR_SSL_INTERNAL_ERROR);
    }
    certificate_t *certificate = MP_OBJ_TO_PTR(chosen);
    // The handshake goes on after this call; the connection keeps this from the collector until it is closed.
    mbedtls_ssl_set_user_data_p(ssl, certificate);
    return mbedtls_ssl_set_hs_own_cert(ssl, &certificate->pair->chain, &certificate->pair->key);
}

static mp_obj_t tlsserver_choose(mp_obj_t context_in, mp_obj_t alpn_in, mp_obj_t chooser) {
    if (!mp_obj_is_type(context_in, &ssl_context_type)) {
        mp_raise_TypeError(MP_ERROR_TEXT("tls.SSLContext expected"));
    }
    if (!mp_obj_is_callable(chooser)) {
        mp_raise_TypeError(MP_ERROR_TEXT("chooser must be callable"));
    }
    mp_obj_ssl_context_t *context = MP_OBJ_TO_PTR(context_in);
    size_t n;
    mp_obj_t *names;
    mp_obj_get_array(alpn_in, &n, &names);
    choice_t *choice = m_malloc(sizeof(choice_t) + (n + 1) * sizeof(char *));
    choice->chooser = chooser;
    for (size_t i = 0; i < n; i++) {
        // Interned: a connection points at its protocol's name for as long as it lives.
        choice->alpn[i] = qstr_str(mp_obj_str_get_qstr(names[i]));
    }
    choice->alpn[n] = NULL;
    if (n > 0) {
        int ret = mbedtls_ssl_conf_alpn_protocols(&context->conf, choice->alpn);
        if (ret != 0) {
            mp_raise_ValueError(MP_ERROR_TEXT("bad protocol name")); // empty, or longer than 255
        }
    }
    mbedtls_ssl_conf_set_user_data_p(&context->conf, choice);
    mbedtls_ssl_conf_cert_cb(&context->conf, choose_certificate);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(tlsserver_choose_obj, tlsserver_choose);

static mbedtls_ssl_context *ssl_of(mp_obj_t connection) {
    if (!mp_obj_is_type(connection, &ssl_socket_type)) {
        mp_raise_TypeError(MP_ERROR_TEXT("tls.SSLSocket expected"));
    }
    return &((mp_obj_ssl_socket_t *)MP_OBJ_TO_PTR(connection))->ssl;
}

static mp_obj_t tlsserver_chosen(mp_obj_t connection) {
    void *certificate = mbedtls_ssl_get_user_data_p(ssl_of(connection));
    return certificate == NULL ? mp_const_none : MP_OBJ_FROM_PTR(certificate);
}
static MP_DEFINE_CONST_FUN_OBJ_1(tlsserver_chosen_obj, tlsserver_chosen);

static mp_obj_t tlsserver_protocol(mp_obj_t connection) {
    const char *name = mbedtls_ssl_get_alpn_protocol(ssl_of(connection));
    return name == NULL ? mp_const_none : mp_obj_new_str_from_cstr(name);
}
static MP_DEFINE_CONST_FUN_OBJ_1(tlsserver_protocol_obj, tlsserver_protocol);

static const mp_rom_map_elem_t tlsserver_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_tlsserver) },
    { MP_ROM_QSTR(MP_QSTR_Certificate), MP_ROM_PTR(&certificate_type) },
    { MP_ROM_QSTR(MP_QSTR_choose), MP_ROM_PTR(&tlsserver_choose_obj) },
    { MP_ROM_QSTR(MP_QSTR_chosen), MP_ROM_PTR(&tlsserver_chosen_obj) },
    { MP_ROM_QSTR(MP_QSTR_protocol), MP_ROM_PTR(&tlsserver_protocol_obj) },
};
static MP_DEFINE_CONST_DICT(tlsserver_globals, tlsserver_globals_table);

const mp_obj_module_t tlsserver_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&tlsserver_globals,
};

MP_REGISTER_MODULE(MP_QSTR_tlsserver, tlsserver_module);

#endif // MICROPY_PY_SSL && MICROPY_SSL_MBEDTLS
