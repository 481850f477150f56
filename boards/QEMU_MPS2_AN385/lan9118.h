// SMSC LAN9118 Ethernet controller (datasheet DS00002266): the chip alone, no lwIP and no Python.
#ifndef IPCERT_LAN9118_H
#define IPCERT_LAN9118_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Longest frame handed over, without the frame check sequence: 1500 bytes, a header of 14 and a VLAN tag of 4.
#define LAN9118_FRAME_MAX   (1518)

typedef struct {
    uint32_t rx_frames;
    uint32_t rx_bytes;
    uint32_t rx_errors;     // bad FCS, runts, overlong: thrown away
    uint32_t rx_dropped;    // the chip had no room (its own counter)
    uint32_t tx_frames;
    uint32_t tx_bytes;
    uint32_t tx_errors;     // no room in the FIFO, or the chip reported an error
} lan9118_stats_t;

extern lan9118_stats_t lan9118_stats;

// Resets the chip, sets its FIFOs up and starts it; false when it is not there or does not come out of reset.
bool lan9118_start(void);

// Stops receiving and transmitting.
void lan9118_stop(void);

void lan9118_mac_address(uint8_t mac[6]);

// True when the PHY has a link.
bool lan9118_link(void);

// A frame is written in pieces: begin, any number of pieces that add up to len, end. begin answers false (and nothing
// may follow) when the frame is too long or the FIFO has no room.
bool lan9118_tx_begin(size_t len);
void lan9118_tx_piece(const uint8_t *data, size_t len);
void lan9118_tx_end(void);

// The length of the next good frame, without FCS, or 0 when none waits. Bad frames are counted and thrown away. Then
// pieces that add up to that length are read, and end is called; end alone throws the frame away.
size_t lan9118_rx_begin(void);
void lan9118_rx_piece(uint8_t *data, size_t len);
void lan9118_rx_end(void);

// The receive interrupt: masked by its handler, unmasked when everything has been read.
void lan9118_irq_mask(void);
void lan9118_irq_unmask(void);

#endif // IPCERT_LAN9118_H
