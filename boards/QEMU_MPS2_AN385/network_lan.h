// network.LAN: lwIP's interface over the LAN9118.
#ifndef IPCERT_NETWORK_LAN_H
#define IPCERT_NETWORK_LAN_H

// Starts lwIP; once, at boot.
void network_lan_init(void);

// Takes frames in and runs lwIP's timers. Thread mode only.
void network_lan_poll(void);

#endif // IPCERT_NETWORK_LAN_H
