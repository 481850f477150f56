# `_ipcert` as a part of a firmware: build MicroPython with USER_C_MODULES=.../ports and a Mbed TLS configuration
# that has config/ipcert_mbedtls.h in it.
IPCERT_NATIVE := $(USERMOD_DIR)

SRC_USERMOD_C += $(IPCERT_NATIVE)/module.c
SRC_USERMOD_LIB_C += $(addprefix $(IPCERT_NATIVE)/, sign.c jws.c arena.c curve_mbedtls.c)

CFLAGS_USERMOD += -I$(IPCERT_NATIVE) -I$(IPCERT_NATIVE)/config
