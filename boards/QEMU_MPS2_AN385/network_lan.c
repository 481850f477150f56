#include <string.h>
#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/mphal.h"
#include "extmod/modnetwork.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"
#include "lan9118.h"
#include "network_lan.h"

#define LINK_CHECK_MS       (250)

// status(), as network.WLAN and the stm32 LAN have them.
#define STATUS_DOWN         (0)     // not active
#define STATUS_NO_LINK      (1)
#define STATUS_NO_ADDRESS   (2)
#define STATUS_UP           (3)

typedef struct {
    mp_obj_base_t base;
    struct netif netif;
    bool active;
    bool in_lwip;               // netif_add() was done; lwIP keeps the netif from then on
    uint32_t link_checked;
    uint32_t no_memory;         // frames thrown away because lwIP had no buffer
} lan_obj_t;

extern const mp_obj_type_t network_lan_type;
static lan_obj_t lan = { .base = { &network_lan_type } };

u32_t sys_now(void) {
    return mp_hal_ticks_ms();
}

void network_lan_init(void) {
    lwip_init();
}

/******************************************************************************/
// lwIP's side.

static err_t link_output(struct netif *netif, struct pbuf *p) {
    (void)netif;
    if (!lan9118_tx_begin(p->tot_len)) {
        return ERR_MEM;
    }
    for (struct pbuf *q = p; q != NULL; q = q->next) {
        lan9118_tx_piece(q->payload, q->len);
    }
    lan9118_tx_end();
    return ERR_OK;
}

static err_t interface_init(struct netif *netif) {
    netif->linkoutput = link_output;
    netif->output = etharp_output;
    #if LWIP_IPV6
    netif->output_ip6 = ethip6_output;
    #endif
    netif->mtu = 1500;
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->hwaddr_len = ETH_HWADDR_LEN;
    lan9118_mac_address(netif->hwaddr);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    NETIF_SET_CHECKSUM_CTRL(netif, NETIF_CHECKSUM_ENABLE_ALL);
    return ERR_OK;
}

static void receive(void) {
    size_t len;
    while ((len = lan9118_rx_begin()) != 0) {
        struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_POOL);
        if (p == NULL) {
            lan.no_memory++;
            lan9118_rx_end();
            continue;
        }
        for (struct pbuf *q = p; q != NULL; q = q->next) {
            lan9118_rx_piece(q->payload, q->len);
        }
        lan9118_rx_end();
        if (lan.netif.input(p, &lan.netif) != ERR_OK) {
            pbuf_free(p);
        }
    }
}

static void check_link(void) {
    bool link = lan9118_link();
    if (link && !netif_is_link_up(&lan.netif)) {
        netif_set_link_up(&lan.netif);      // also renews DHCP and sends neighbour discovery
    } else if (!link && netif_is_link_up(&lan.netif)) {
        netif_set_link_down(&lan.netif);
    }
}

void network_lan_poll(void) {
    if (lan.active) {
        receive();
        lan9118_irq_unmask();
        uint32_t now = mp_hal_ticks_ms();
        if (now - lan.link_checked >= LINK_CHECK_MS) {
            lan.link_checked = now;
            check_link();
        }
    }
    sys_check_timeouts();
}

static void start(void) {
    if (!lan9118_start()) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("LAN9118 not found: start QEMU with -nic user,model=lan9118"));
    }
    struct netif *netif = &lan.netif;
    if (!lan.in_lwip) {
        ip4_addr_t none = { 0 };
        if (netif_add(netif, &none, &none, &none, NULL, interface_init, ethernet_input) == NULL) {
            lan9118_stop();
            mp_raise_OSError(MP_ENOMEM);
        }
        lan.in_lwip = true;
    }
    netif_set_hostname(netif, mod_network_hostname_data);
    netif_set_default(netif);
    netif_set_up(netif);
    #if LWIP_IPV6
    netif_create_ip6_linklocal_address(netif, 1);
    netif_set_ip6_autoconfig_enabled(netif, 1);
    #endif
    lan.active = true;
    lan.link_checked = mp_hal_ticks_ms();
    check_link();
    if (dhcp_start(netif) != ERR_OK) {
        mp_raise_OSError(MP_ENOMEM);
    }
}

static void stop(void) {
    struct netif *netif = &lan.netif;
    dhcp_release_and_stop(netif);
    netif_set_link_down(netif);
    netif_set_down(netif);
    lan9118_stop();
    lan.active = false;
}

static bool has_address(void) {
    if (!ip4_addr_isany_val(*netif_ip4_addr(&lan.netif))) {
        return true;
    }
    #if LWIP_IPV6
    for (int i = 1; i < LWIP_IPV6_NUM_ADDRESSES; i++) { // 0 is link-local
        if (ip6_addr_ispreferred(netif_ip6_addr_state(&lan.netif, i))) {
            return true;
        }
    }
    #endif
    return false;
}

static int status_now(void) {
    if (!lan.active) {
        return STATUS_DOWN;
    }
    board_poll();
    if (!netif_is_link_up(&lan.netif)) {
        return STATUS_NO_LINK;
    }
    return has_address() ? STATUS_UP : STATUS_NO_ADDRESS;
}

/******************************************************************************/
// Python's side.

static void must_be_active(void) {
    if (!lan.in_lwip) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("the interface is not active"));
    }
}

static mp_obj_t lan_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return MP_OBJ_FROM_PTR(&lan);
}

// active() -> bool; active(True) resets the chip and starts DHCP and SLAAC; active(False) gives the lease back.
static mp_obj_t lan_active(size_t n_args, const mp_obj_t *args) {
    if (n_args > 1) {
        bool want = mp_obj_is_true(args[1]);
        if (want && !lan.active) {
            start();
        } else if (!want && lan.active) {
            stop();
        }
    }
    return mp_obj_new_bool(lan.active);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lan_active_obj, 1, 2, lan_active);

// True when there is a link and an address that others can reach.
static mp_obj_t lan_isconnected(mp_obj_t self_in) {
    (void)self_in;
    return mp_obj_new_bool(status_now() == STATUS_UP);
}
static MP_DEFINE_CONST_FUN_OBJ_1(lan_isconnected_obj, lan_isconnected);

static int count(const struct tcp_pcb *pcb) {
    int n = 0;
    for (; pcb != NULL; pcb = pcb->next) {
        n++;
    }
    return n;
}

// status() -> 0 not active, 1 no link, 2 link but no address, 3 up; status("link") -> bool;
// status("stats") -> dict of counters; status("sockets") -> TCP connections (listening, open, bound, TIME_WAIT).
static mp_obj_t lan_status(size_t n_args, const mp_obj_t *args) {
    int now = status_now();
    if (n_args == 1) {
        return MP_OBJ_NEW_SMALL_INT(now);
    }
    switch (mp_obj_str_get_qstr(args[1])) {
        case MP_QSTR_link:
            return mp_obj_new_bool(now >= STATUS_NO_ADDRESS);
        case MP_QSTR_sockets: {
            mp_obj_t row[4] = {
                MP_OBJ_NEW_SMALL_INT(count(tcp_listen_pcbs.pcbs)), MP_OBJ_NEW_SMALL_INT(count(tcp_active_pcbs)),
                MP_OBJ_NEW_SMALL_INT(count(tcp_bound_pcbs)), MP_OBJ_NEW_SMALL_INT(count(tcp_tw_pcbs)),
            };
            return mp_obj_new_tuple(4, row);
        }
        case MP_QSTR_stats: {
            const lan9118_stats_t *s = &lan9118_stats;
            const struct { qstr name; uint32_t value; } rows[] = {
                { MP_QSTR_rx_frames, s->rx_frames }, { MP_QSTR_rx_bytes, s->rx_bytes },
                { MP_QSTR_rx_errors, s->rx_errors }, { MP_QSTR_rx_dropped, s->rx_dropped },
                { MP_QSTR_rx_no_memory, lan.no_memory }, { MP_QSTR_tx_frames, s->tx_frames },
                { MP_QSTR_tx_bytes, s->tx_bytes }, { MP_QSTR_tx_errors, s->tx_errors },
            };
            mp_obj_t dict = mp_obj_new_dict(MP_ARRAY_SIZE(rows));
            for (size_t i = 0; i < MP_ARRAY_SIZE(rows); i++) {
                mp_obj_dict_store(dict, MP_OBJ_NEW_QSTR(rows[i].name), mp_obj_new_int_from_uint(rows[i].value));
            }
            return dict;
        }
        default:
            mp_raise_ValueError(MP_ERROR_TEXT("unexpected key"));
    }
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lan_status_obj, 1, 2, lan_status);

// As everywhere in MicroPython: ifconfig() -> (ip, netmask, gateway, dns); ifconfig("dhcp"); ifconfig((...)) sets them.
static mp_obj_t lan_ifconfig(size_t n_args, const mp_obj_t *args) {
    must_be_active();
    return mod_network_nic_ifconfig(&lan.netif, n_args - 1, args + 1);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lan_ifconfig_obj, 1, 2, lan_ifconfig);

// ipconfig("addr4") and so on; ipconfig(dhcp4=True), ipconfig(addr4="10.0.2.20/24", gw4="10.0.2.2").
static mp_obj_t lan_ipconfig(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    must_be_active();
    return mod_network_nic_ipconfig(&lan.netif, n_args - 1, args + 1, kwargs);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(lan_ipconfig_obj, 1, lan_ipconfig);

// config("mac") -> 6 bytes.
static mp_obj_t lan_config(mp_obj_t self_in, mp_obj_t key) {
    (void)self_in;
    if (mp_obj_str_get_qstr(key) != MP_QSTR_mac) {
        mp_raise_ValueError(MP_ERROR_TEXT("unexpected key"));
    }
    must_be_active();
    return mp_obj_new_bytes(lan.netif.hwaddr, ETH_HWADDR_LEN);
}
static MP_DEFINE_CONST_FUN_OBJ_2(lan_config_obj, lan_config);

static const mp_rom_map_elem_t lan_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_active), MP_ROM_PTR(&lan_active_obj) },
    { MP_ROM_QSTR(MP_QSTR_isconnected), MP_ROM_PTR(&lan_isconnected_obj) },
    { MP_ROM_QSTR(MP_QSTR_status), MP_ROM_PTR(&lan_status_obj) },
    { MP_ROM_QSTR(MP_QSTR_ifconfig), MP_ROM_PTR(&lan_ifconfig_obj) },
    { MP_ROM_QSTR(MP_QSTR_ipconfig), MP_ROM_PTR(&lan_ipconfig_obj) },
    { MP_ROM_QSTR(MP_QSTR_config), MP_ROM_PTR(&lan_config_obj) },
};
static MP_DEFINE_CONST_DICT(lan_locals, lan_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    network_lan_type,
    MP_QSTR_LAN,
    MP_TYPE_FLAG_NONE,
    make_new, lan_make_new,
    locals_dict, &lan_locals
    );
