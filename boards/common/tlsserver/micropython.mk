# User C module: certificate choice for tls servers. It compiles MicroPython's own tls module inside itself (see
# modtlsserver.c), so the stock object has to be empty.
TLSSERVER_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(TLSSERVER_DIR)/modtlsserver.c
$(BUILD)/extmod/modtls_mbedtls.o: CFLAGS += -UMICROPY_SSL_MBEDTLS -DMICROPY_SSL_MBEDTLS=0
