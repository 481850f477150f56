// lwIP for a hub: one Ethernet interface, IPv4 and IPv6, a client, a responder and a small server.
#ifndef IPCERT_LWIPOPTS_H
#define IPCERT_LWIPOPTS_H

#include <stdint.h>

// Everything runs in thread mode, from board_poll(). MicroPython's glue still wants the lock, which masks interrupts.
#define NO_SYS                          1
#define SYS_LIGHTWEIGHT_PROT            1
typedef uint32_t sys_prot_t;
#define LWIP_NETCONN                    0
#define LWIP_SOCKET                     0
#define LWIP_STATS                      0
#define MEM_ALIGNMENT                   4
#define LWIP_CHKSUM_ALGORITHM           3
#define LWIP_CHECKSUM_CTRL_PER_NETIF    1

#define LWIP_ARP                        1
#define LWIP_ETHERNET                   1
#define LWIP_RAW                        1
#define LWIP_NETIF_HOSTNAME             1
#define LWIP_NETIF_EXT_STATUS_CALLBACK  0
#define LWIP_NETIF_LINK_CALLBACK        0
#define LWIP_DHCP                       1
#define LWIP_DHCP_CHECK_LINK_UP         1
#define LWIP_DHCP_DOES_ACD_CHECK        0   // a second sooner
#define LWIP_DNS                        1
#define LWIP_IGMP                       1

#define LWIP_IPV4                       1
#define LWIP_IPV6                       1
#define LWIP_IPV6_AUTOCONFIG            1   // SLAAC
#define LWIP_IPV6_MLD                   1
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS   1
#define LWIP_ND6_NUM_DESTINATIONS       4
#define LWIP_ND6_QUEUEING               0

#define SO_REUSE                        1
#define TCP_LISTEN_BACKLOG              1

// A CA asks from several places at once, and TIME_WAIT is given up first when these run out.
#define MEMP_NUM_TCP_PCB                10
#define MEMP_NUM_TCP_PCB_LISTEN         4
#define MEMP_NUM_UDP_PCB                4
#define MEMP_NUM_SYS_TIMEOUT            (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 2)

// Static memory: heap for what is sent, pool for what arrives.
#define TCP_MSS                         1460
#define TCP_WND                         (4 * TCP_MSS)
#define TCP_SND_BUF                     (2 * TCP_MSS)
#define MEM_SIZE                        (8 * 1024)
#define MEMP_NUM_TCP_SEG                24
#define PBUF_POOL_SIZE                  10

#define LWIP_RAND() entropy_network_u32()
uint32_t entropy_network_u32(void);

#define sys_jiffies sys_now

#endif // IPCERT_LWIPOPTS_H
