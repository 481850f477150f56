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
//           protocol the agreed ALPN name or None. It answers the context whose certificate and key are used, or None:
//           the client then gets the alert unrecognized_name (RFC 6066 3). When it raises, the alert is internal_error.
//           It must not wait.
//
//     tlsserver.chosen(connection)
//
// The context that the chooser answered in this connection's handshake, or None before that.
//
// A client that offers only protocols not in alpn gets no_application_protocol (RFC 7301 3.2), from Mbed TLS itself.
#include "extmod/modtls_mbedtls.c"

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
    if (chosen == mp_const_none) {
        return refuse(ssl, MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME, MBEDTLS_ERR_SSL_UNRECOGNIZED_NAME);
    }
    if (!mp_obj_is_type(chosen, &ssl_context_type)) {
        return refuse(ssl, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR, MBEDTLS_ERR_SSL_INTERNAL_ERROR);
    }
    mp_obj_ssl_context_t *context = MP_OBJ_TO_PTR(chosen);
    // The handshake goes on after this call; the connection keeps the context from the collector until it is closed.
    mbedtls_ssl_set_user_data_p(ssl, context);
    return mbedtls_ssl_set_hs_own_cert(ssl, &context->cert, &context->pkey);
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
        choice->alpn[i] = mp_obj_str_get_str(names[i]);
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

static mp_obj_t tlsserver_chosen(mp_obj_t connection_in) {
    if (!mp_obj_is_type(connection_in, &ssl_socket_type)) {
        mp_raise_TypeError(MP_ERROR_TEXT("tls.SSLSocket expected"));
    }
    mp_obj_ssl_socket_t *connection = MP_OBJ_TO_PTR(connection_in);
    void *context = mbedtls_ssl_get_user_data_p(&connection->ssl);
    return context == NULL ? mp_const_none : MP_OBJ_FROM_PTR(context);
}
static MP_DEFINE_CONST_FUN_OBJ_1(tlsserver_chosen_obj, tlsserver_chosen);

static const mp_rom_map_elem_t tlsserver_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_tlsserver) },
    { MP_ROM_QSTR(MP_QSTR_choose), MP_ROM_PTR(&tlsserver_choose_obj) },
    { MP_ROM_QSTR(MP_QSTR_chosen), MP_ROM_PTR(&tlsserver_chosen_obj) },
};
static MP_DEFINE_CONST_DICT(tlsserver_globals, tlsserver_globals_table);

const mp_obj_module_t tlsserver_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&tlsserver_globals,
};

MP_REGISTER_MODULE(MP_QSTR_tlsserver, tlsserver_module);

#endif // MICROPY_PY_SSL && MICROPY_SSL_MBEDTLS
