#include "lan9118.h"
#include "mps2.h"

#define REG(offset)             MPS2_REG(LAN9118_BASE + (offset))

#define RX_DATA_FIFO            REG(0x00)
#define TX_DATA_FIFO            REG(0x20)
#define RX_STATUS_FIFO          REG(0x40)
#define TX_STATUS_FIFO          REG(0x48)
#define ID_REV                  REG(0x50)
#define IRQ_CFG                 REG(0x54)
#define INT_STS                 REG(0x58)
#define INT_EN                  REG(0x5c)
#define BYTE_TEST               REG(0x64)
#define FIFO_INT                REG(0x68)
#define RX_CFG                  REG(0x6c)
#define TX_CFG                  REG(0x70)
#define HW_CFG                  REG(0x74)
#define RX_FIFO_INF             REG(0x7c)
#define TX_FIFO_INF             REG(0x80)
#define RX_DROP                 REG(0xa0)
#define MAC_CSR_CMD             REG(0xa4)
#define MAC_CSR_DATA            REG(0xa8)

#define BYTE_TEST_VALUE         (0x87654321u)
#define IRQ_CFG_ENABLE          (1u << 8)
#define IRQ_CFG_ACTIVE_HIGH     (1u << 4)
#define IRQ_CFG_PUSH_PULL       (1u << 0)
#define INT_RX_STATUS_LEVEL     (1u << 3)   // RSFL: at least one frame waits
#define TX_CFG_ON               (1u << 1)
#define TX_CFG_DUMP             (3u << 14)
#define RX_CFG_DUMP             (1u << 15)
#define HW_CFG_MUST_BE_ONE      (1u << 20)
#define HW_CFG_TX_FIFO_5K       (5u << 16)
#define HW_CFG_SRST             (1u << 0)
#define TX_A_FIRST_SEGMENT      (1u << 13)
#define TX_A_LAST_SEGMENT       (1u << 12)
#define TX_STATUS_ERROR         (1u << 15)
#define RX_STATUS_ERROR         (1u << 15)
#define MAC_CSR_BUSY            (1u << 31)
#define MAC_CSR_READ            (1u << 30)

// Behind MAC_CSR_CMD.
#define MAC_CR                  (1)
#define MAC_ADDRH               (2)
#define MAC_ADDRL               (3)
#define MAC_MII_ACC             (6)
#define MAC_MII_DATA            (7)
#define MAC_CR_FULL_DUPLEX      (1u << 20)
#define MAC_CR_ALL_MULTICAST    (1u << 19)  // IPv6 neighbour discovery is multicast
#define MAC_CR_TXEN             (1u << 3)
#define MAC_CR_RXEN             (1u << 2)
#define MII_PHY_ADDRESS         (1u << 11)  // the internal PHY is number 1
#define MII_BUSY                (1u << 0)

// Behind MAC_MII_ACC.
#define PHY_BSR                 (1)
#define PHY_BSR_LINK            (1u << 2)

#define FCS_SIZE                (4)
#define FRAME_MIN               (14)
#define SPIN_MAX                (100000)    // far longer than any operation of the chip

lan9118_stats_t lan9118_stats;

// Frames are streams of bytes to us and of words to the chip: the part of a word still to come or go.
static uint32_t tx_word, rx_word;
static unsigned tx_have, rx_have;
static size_t rx_words;

static bool mac_wait(void) {
    for (int i = 0; i < SPIN_MAX; i++) {
        if (!(MAC_CSR_CMD & MAC_CSR_BUSY)) {
            return true;
        }
    }
    return false;
}

static uint32_t mac_read(unsigned reg) {
    MAC_CSR_CMD = MAC_CSR_BUSY | MAC_CSR_READ | reg;
    return mac_wait() ? MAC_CSR_DATA : 0;
}

static void mac_write(unsigned reg, uint32_t value) {
    MAC_CSR_DATA = value;
    MAC_CSR_CMD = MAC_CSR_BUSY | reg;
    mac_wait();
}

static uint32_t phy_read(unsigned reg) {
    mac_write(MAC_MII_ACC, MII_PHY_ADDRESS | reg << 6 | MII_BUSY);
    for (int i = 0; i < SPIN_MAX && (mac_read(MAC_MII_ACC) & MII_BUSY); i++) {
    }
    return mac_read(MAC_MII_DATA);
}

bool lan9118_start(void) {
    if (BYTE_TEST != BYTE_TEST_VALUE) {
        return false;
    }
    HW_CFG = HW_CFG_SRST;
    int spins = 0;
    while (HW_CFG & HW_CFG_SRST) {
        if (++spins > SPIN_MAX) {
            return false;
        }
    }
    HW_CFG = HW_CFG_MUST_BE_ONE | HW_CFG_TX_FIFO_5K;
    RX_CFG = 0;
    FIFO_INT = 0;                               // interrupt when more than 0 frames wait
    INT_STS = UINT32_MAX;
    IRQ_CFG = IRQ_CFG_ENABLE | IRQ_CFG_ACTIVE_HIGH | IRQ_CFG_PUSH_PULL;
    TX_CFG = TX_CFG_ON;
    mac_write(MAC_CR, MAC_CR_FULL_DUPLEX | MAC_CR_ALL_MULTICAST | MAC_CR_TXEN | MAC_CR_RXEN);
    rx_words = 0;
    mps2_irq_enable(IRQ_ETHERNET);
    lan9118_irq_unmask();
    return true;
}

void lan9118_stop(void) {
    lan9118_irq_mask();
    mac_write(MAC_CR, 0);
    TX_CFG = TX_CFG_DUMP;
    RX_CFG = RX_CFG_DUMP;
}

void lan9118_mac_address(uint8_t mac[6]) {
    uint32_t low = mac_read(MAC_ADDRL), high = mac_read(MAC_ADDRH);
    for (int i = 0; i < 4; i++) {
        mac[i] = (uint8_t)(low >> (8 * i));
    }
    mac[4] = (uint8_t)high;
    mac[5] = (uint8_t)(high >> 8);
}

bool lan9118_link(void) {
    phy_read(PHY_BSR); // a lost link is latched: the first read tells of the past
    return phy_read(PHY_BSR) & PHY_BSR_LINK;
}

bool lan9118_tx_begin(size_t len) {
    // Two command words come before the data, all in whole words.
    if (len > LAN9118_FRAME_MAX || (TX_FIFO_INF & 0xffff) < ((len + 3) & ~3u) + 8) {
        lan9118_stats.tx_errors++;
        return false;
    }
    TX_DATA_FIFO = TX_A_FIRST_SEGMENT | TX_A_LAST_SEGMENT | len;
    TX_DATA_FIFO = len;
    tx_word = 0;
    tx_have = 0;
    lan9118_stats.tx_frames++;
    lan9118_stats.tx_bytes += len;
    return true;
}

void lan9118_tx_piece(const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        tx_word |= (uint32_t)data[i] << (8 * tx_have);
        if (++tx_have == 4) {
            TX_DATA_FIFO = tx_word;
            tx_word = 0;
            tx_have = 0;
        }
    }
}

void lan9118_tx_end(void) {
    if (tx_have) {
        TX_DATA_FIFO = tx_word;
        tx_have = 0;
    }
    // The status FIFO stops the transmitter when it fills up: empty it.
    while (TX_FIFO_INF >> 16 & 0xff) {
        if (TX_STATUS_FIFO & TX_STATUS_ERROR) {
            lan9118_stats.tx_errors++;
        }
    }
}

size_t lan9118_rx_begin(void) {
    lan9118_stats.rx_dropped += RX_DROP;
    while (RX_FIFO_INF >> 16 & 0xff) {
        uint32_t status = RX_STATUS_FIFO;
        size_t len = status >> 16 & 0x3fff;
        rx_words = (len + 3) / 4;
        rx_have = 0;
        if (!(status & RX_STATUS_ERROR) && len >= FRAME_MIN + FCS_SIZE && len <= LAN9118_FRAME_MAX + FCS_SIZE) {
            lan9118_stats.rx_frames++;
            lan9118_stats.rx_bytes += len - FCS_SIZE;
            return len - FCS_SIZE;
        }
        lan9118_stats.rx_errors++;
        lan9118_rx_end();
    }
    return 0;
}

void lan9118_rx_piece(uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (rx_have == 0) {
            rx_word = RX_DATA_FIFO;
            rx_words--;
            rx_have = 4;
        }
        data[i] = (uint8_t)rx_word;
        rx_word >>= 8;
        rx_have--;
    }
}

void lan9118_rx_end(void) {
    while (rx_words > 0) { // the frame check sequence, and a frame that nobody wanted
        (void)RX_DATA_FIFO;
        rx_words--;
    }
}

void lan9118_irq_mask(void) {
    INT_EN = 0;
}

void lan9118_irq_unmask(void) {
    INT_STS = INT_RX_STATUS_LEVEL;
    INT_EN = INT_RX_STATUS_LEVEL;
}
